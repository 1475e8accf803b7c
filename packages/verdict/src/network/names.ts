/*
 * Names in rules: of DNS questions (`matchName`, `matchPattern`) and of TLS servers (`serverNames`). Matched label by
 * label and without regular expressions, so that no name costs more than its length times the pattern's.
 */

export interface NameMatcher {
  /** As the rule writes it. */
  readonly text: string
  /** `name` in lower case, without the last dot. */
  matches(name: string): boolean
}

/** One label of a name that Cilium's wildcards stand for. */
const label = /^[-a-z0-9_]+$/

/** Lower case, without the last dot: as DNS compares names. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.endsWith('.') ? lower.slice(0, -1) : lower
}

/** `matchName`: the very name. */
export function exactName(text: string): NameMatcher {
  const wanted = canonicalName(text)
  return { text, matches: (name) => name === wanted }
}

/**
 * `matchPattern` (semantics B.6): `*` stands for any characters of one label, alone for every name; a leading `**.` for
 * one or more labels.
 */
export function namePattern(text: string): NameMatcher {
  const wanted = readPattern(text)
  return { text, matches: (name) => wanted === 'every' || labelsMatch(wanted, name.split('.')) }
}

/**
 * An item of `serverNames` (semantics B.7): read as a `matchPattern` is, since Cilium 1.20; every valid name, where that
 * is every name. A name with a dot at its end is none that a client may send.
 */
export function serverName(text: string): NameMatcher {
  const wanted = readPattern(text)
  return {
    text,
    matches: (name) => {
      const labels = name.toLowerCase().split('.')
      return labels.every((one) => label.test(one)) && (wanted === 'every' || labelsMatch(wanted, labels))
    },
  }
}

interface Wanted {
  /** The last labels of a name. */
  readonly labels: readonly string[]
  /** One or more labels are before them. */
  readonly deep: boolean
}

/** Stars side by side are as good as one, but for those of a whole first label, which are any number of labels. */
function readPattern(text: string): Wanted | 'every' {
  const labels = canonicalName(text).split('.')
  const [first = ''] = labels
  if (labels.length === 1 && /^\*+$/.test(first)) return 'every'
  const deep = /^\*{2,}$/.test(first)
  return { labels: deep ? labels.slice(1) : labels, deep }
}

function labelsMatch({ labels: wanted, deep }: Wanted, labels: readonly string[]): boolean {
  const above = labels.length - wanted.length
  if (deep ? above < 1 : above !== 0) return false
  return (
    wanted.every((one, index) => labelMatches(one, labels[above + index] ?? '')) &&
    labels.slice(0, above).every((one) => label.test(one))
  )
}

/** Whether a label is what a pattern with `*` in it stands for. */
function labelMatches(pattern: string, value: string): boolean {
  if (!pattern.includes('*')) return pattern === value
  if (!label.test(value)) return false
  let [at, star, mark] = [0, -1, 0]
  for (let index = 0; index < value.length; ) {
    if (pattern[at] === '*') {
      star = at++
      mark = index
    } else if (pattern[at] === value[index]) {
      at++
      index++
    } else if (star !== -1) {
      at = star + 1
      index = ++mark
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
