/*
 * Test code: patterns by their description (semantics E.1) alone, as an answer to one question each, slow and without a path.
 * It knows no keys with wildcards, and of values only texts with `*`, numbers, truth values and null.
 */

type Answer = 'pass' | 'fail' | 'skip'

interface Said {
  readonly answer: Answer
  /** A global condition somewhere inside is not met. */
  readonly whole: boolean
}

const pass: Said = { answer: 'pass', whole: false }
const fail: Said = { answer: 'fail', whole: false }
const skip: Said = { answer: 'skip', whole: false }
const wholeSkip: Said = { answer: 'skip', whole: true }

export function naivePattern(object: unknown, pattern: unknown): Answer {
  return judge(object, pattern).answer
}

/** Whether any anchor of it asks for a key, as conditions and existence anchors do. */
export function naiveAsks(pattern: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some(naiveAsks)
  if (!isMap(pattern)) return false
  return Object.entries(pattern).some(([key, inner]) => ['(', '^'].includes(parts(key)[0]) || naiveAsks(inner))
}

function judge(value: unknown, pattern: unknown): Said {
  if (isMap(pattern)) return isMap(value) ? judgeMap(value, pattern) : fail
  if (Array.isArray(pattern)) return Array.isArray(value) ? judgeList(value, pattern) : fail
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.every((one) => scalar(one, pattern)) ? pass : fail
}

/** First what the anchors say, then the other keys; the first in order that does not pass answers. */
function judgeMap(value: Readonly<Record<string, unknown>>, pattern: Readonly<Record<string, unknown>>): Said {
  const keys = Object.keys(pattern).sort()
  const anchored = keys.filter((key) => ['(', '=', '^', 'X'].includes(parts(key)[0]))
  const said = anchored.map((key) => ({ own: parts(key)[0] === '(', said: judgeKey(key, value, pattern[key]) }))
  // A condition of this map's own that is not met ends it, and a global one from inside, unless something before it has
  // failed already.
  for (const one of said) {
    if (one.said.answer === 'fail') return one.said
    if (one.said.answer === 'skip' && (one.own || one.said.whole)) return one.said
  }
  if (said.length > 0 && said.every(({ said: { answer } }) => answer === 'skip')) return said[0]?.said ?? skip
  const rest = keys.filter((key) => !anchored.includes(key))
  const first = rest.filter((key) => parts(key)[0] === '<' || hasAnchor(pattern[key])).reverse()
  for (const key of [...first, ...rest.filter((one) => !first.includes(one))]) {
    const one = judgeKey(key, value, pattern[key])
    if (one.answer !== 'pass') return one
  }
  return pass
}

function judgeKey(key: string, value: Readonly<Record<string, unknown>>, wanted: unknown): Said {
  const [sign, name] = parts(key)
  const there = Object.keys(value).includes(name)
  switch (sign) {
    case 'X':
      return there ? fail : pass
    case '=':
      return there ? judge(value[name], wanted) : pass
    case '(':
      return there && judge(value[name], wanted).answer === 'pass' ? pass : skip
    case '<':
      return !there || judge(value[name], wanted).answer === 'pass' ? pass : wholeSkip
    case '^': {
      if (!there) return pass
      const items = value[name]
      if (!Array.isArray(items) || !Array.isArray(wanted)) return fail
      return wanted.every((one) => items.some((item) => judge(item, one).answer === 'pass')) ? pass : fail
    }
    default:
      if (wanted === '*') return there && value[name] !== null ? pass : fail
      return judge(there ? value[name] : null, wanted)
  }
}

function judgeList(value: readonly unknown[], pattern: readonly unknown[]): Said {
  if (pattern.length === 0) return fail
  const said = value.map((item) => judge(item, pattern[0]))
  const failed = said.find(({ answer }) => answer === 'fail')
  if (failed !== undefined) return failed
  return said.length > 0 && said.every(({ answer }) => answer === 'skip') ? skip : pass
}

function hasAnchor(pattern: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some(hasAnchor)
  return isMap(pattern) && Object.entries(pattern).some(([key, inner]) => parts(key)[0] !== '' || hasAnchor(inner))
}

function parts(key: string): readonly [sign: string, name: string] {
  if (!key.endsWith(')')) return ['', key]
  if (key.startsWith('(')) return ['(', key.slice(1, -1)]
  return key[1] === '(' ? [key[0] ?? '', key.slice(2, -1)] : ['', key]
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function scalar(value: unknown, pattern: unknown): boolean {
  if (pattern === null) return value === null || value === undefined || value === 0 || value === '' || value === false
  if (typeof pattern !== 'string')
    return value === pattern || (typeof pattern === 'number' && value === String(pattern))
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false
  return glob([...pattern], [...String(value)])
}

function glob(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return text.length === 0
  if (first === '*') return text.some((_, index) => glob(rest, text.slice(index))) || glob(rest, [])
  return text.length > 0 && (first === '?' || first === text[0]) && glob(rest, text.slice(1))
}
