/*
 * How a page writes output that changes from run to run:
 *
 *   <time>      a point in time or a duration: 2026-01-31T10:00:00Z, 10:00:00.123, 12.345678ms, (0.4 s)
 *   <number>    a number: 12, 1,034, 0.4
 *   <text>      anything, within its line
 *   <52|56>     one of these words
 *   ...         alone on a line: any lines, or none
 *
 * Everything else is taken as it is, but for blanks at the ends of lines. A connection that is closed without a byte is
 * written as curl's 56: which of 52 and 56 curl says of it is a race.
 */

const kinds: Readonly<Record<string, string>> = {
  time: String.raw`\d[\d:.,TZ+-]*(?: ?(?:ns|us|µs|ms|s|m|h)\b)*`,
  number: String.raw`-?\d[\d,]*(?:\.\d+)?`,
  text: '.*?',
}

/** Where output is not as the page says: the first line of it, from 1. */
export interface Difference {
  readonly line: number
  readonly expected: string
  readonly actual: string
}

/** A pattern for one line; undefined for `...`. */
function patternOf(line: string): RegExp | undefined {
  if (line.trim() === '...') return undefined
  const parts = line.trimEnd().split(/(<[^<>]+>)/)
  const source = parts.map((part, index) => (index % 2 === 1 ? placeholder(part) : escaped(part)))
  return new RegExp(`^${source.join('')}$`, 'u')
}

function placeholder(part: string): string {
  const word = part.slice(1, -1)
  const known = kinds[word]
  if (known !== undefined) return `(?:${known})`
  return word.includes('|') ? `(?:${word.split('|').map(escaped).join('|')})` : escaped(part)
}

const emptyReply = /^curl: \(52\) .*$/gm
const reset = 'curl: (56) Recv failure: Connection reset by peer'

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** Holds output against what a page says of it. Undefined when it is as the page says. */
export function compareOutput(expected: readonly string[], actual: string): Difference | undefined {
  const lines = actual.replace(/\n$/, '').replace(emptyReply, reset).split('\n')
  const got = lines.length === 1 && lines[0] === '' ? [] : lines.map((line) => line.trimEnd())
  const patterns = expected.map(patternOf)
  // reached[i]: how many lines of output the first i lines of the page may have taken up.
  let reached = new Set([0])
  for (const [index, pattern] of patterns.entries()) {
    const next = new Set<number>()
    if (pattern === undefined) {
      const first = Math.min(...reached)
      for (let taken = first; taken <= got.length; taken += 1) next.add(taken)
    } else {
      for (const taken of reached) {
        const line = got[taken]
        if (line !== undefined && pattern.test(line)) next.add(taken + 1)
      }
    }
    if (next.size === 0) {
      const taken = Math.min(...reached)
      return { line: taken + 1, expected: expected[index] ?? '', actual: got[taken] ?? '(no more lines)' }
    }
    reached = next
  }
  if (reached.has(got.length)) return undefined
  const taken = Math.max(...reached)
  return { line: taken + 1, expected: '(no more lines)', actual: got[taken] ?? '' }
}
