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
  const pattern = canonicalName(text)
  if (pattern === '*') return { text, matches: () => true }
  const deep = pattern.startsWith('**.')
  const wanted = (deep ? pattern.slice(3) : pattern).split('.')
  return {
    text,
    matches: (name) => {
      const labels = name.split('.')
      const above = labels.length - wanted.length
      if (deep ? above < 1 : above !== 0) return false
      return (
        wanted.every((one, index) => labelMatches(one, labels[above + index] ?? '')) &&
        labels.slice(0, above).every((one) => label.test(one))
      )
    },
  }
}

/**
 * An item of `serverNames` (semantics B.7): `*` stands for one label or a part of one, `**` for one or more whole ones;
 * either alone for every valid name. A name with a dot at its end is none that a client may send.
 */
export function serverName(text: string): NameMatcher {
  const pattern = text.toLowerCase()
  const wanted = pattern === '*' ? ['**'] : pattern.split('.')
  return {
    text,
    matches: (name) => {
      const labels = name.toLowerCase().split('.')
      return labels.every((one) => label.test(one)) && labelsMatch(wanted, labels)
    },
  }
}

function labelsMatch(wanted: readonly string[], labels: readonly string[]): boolean {
  // reached[n]: the patterns so far can have taken the first n labels.
  let reached = new Set([0])
  for (const one of wanted) {
    const next = new Set<number>()
    for (const taken of reached) {
      if (one === '**') for (let end = taken + 1; end <= labels.length; end++) next.add(end)
      else if (taken < labels.length && labelMatches(one, labels[taken] ?? '')) next.add(taken + 1)
    }
    reached = next
  }
  return reached.has(labels.length)
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
