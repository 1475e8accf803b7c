import { shortCommandLine } from '../tools/command-line.js'
import type { Finding, Status } from './types.js'

/** Says a word in a colour of its own, or leaves it as it is. */
export type Paint = (status: Status, word: string) => string

const plain: Paint = (_, word) => word
const WORDS: Readonly<Record<Status, string>> = { ok: 'ok', warn: 'look', fail: 'FAIL', skipped: '-' }
const INDENT = ' '.repeat(6)

/** One finding, as it comes: a line, and below it why it matters and what to do, where something is to be done. */
export function renderFinding({ id, status, found, why, remedy }: Finding, paint: Paint = plain): string {
  const lines = [`${paint(status, WORDS[status].padEnd(6))}${id.padEnd(22)} ${found}`]
  if (status !== 'warn' && status !== 'fail') return lines.join('\n')
  if (why !== undefined) lines.push(`${INDENT}${why}`)
  for (const line of remedy ?? []) lines.push(`${INDENT}- ${line}`)
  return lines.join('\n')
}

/** What it comes to, in a sentence. */
export function summaryOf(findings: readonly Finding[]): string {
  const count = (status: Status): number => findings.filter((one) => one.status === status).length
  const [failed, warned] = [count('fail'), count('warn')]
  const look = warned === 0 ? '' : ` ${warned} to look at.`
  if (failed === 0) return `All is there that a cluster needs.${look}`
  return `${failed} of ${findings.length} ${failed === 1 ? 'stands' : 'stand'} in the way of a cluster.${look}`
}

/** The same for programs: with the command line that was asked. */
export function findingsJson(findings: readonly Finding[]): unknown {
  return {
    ok: findings.every(({ status }) => status !== 'fail'),
    checks: findings.map(({ command, ...finding }) => ({
      ...finding,
      ...(command && { command: shortCommandLine(command) }),
    })),
  }
}
