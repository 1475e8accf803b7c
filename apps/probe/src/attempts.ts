import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { makeAttempt, parseAttempt } from './attempt.js'

/** What an attempt has left may take this long to go; then the program ends, and takes it along. */
const leftMs = 250

/**
 * One attempt after another, a line of JSON each: says what it saw, and `{"ready":true}` once nothing is left of the attempt
 * in this process: no socket, no timer, no question that awaits its answer. Where something is left, it ends instead, so
 * that no attempt finds anything of the one before. Ends with its stdin.
 */
export async function attempts(print: (value: unknown) => Promise<void>): Promise<void> {
  const stdin = process.stdin as Partial<Pick<Socket, 'ref' | 'unref'>>
  for await (const line of createInterface({ input: process.stdin })) {
    const attempt = parseAttempt(line)
    await print(await makeAttempt(attempt, () => void print({ held: true })))
    await nothingLeft(stdin)
    await print({ ready: true })
  }
}

/** Node says so itself: with stdin out of account, the loop has nothing to wait for. */
function nothingLeft(stdin: Partial<Pick<Socket, 'ref' | 'unref'>>): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => process.exit(0), leftMs).unref()
    process.once('beforeExit', () => {
      clearTimeout(limit)
      stdin.ref?.()
      resolve()
    })
    stdin.unref?.()
  })
}
