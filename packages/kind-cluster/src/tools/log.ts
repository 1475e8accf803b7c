import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { printable } from '@bulkhead/resources/printable'
import type { Command } from '../tools.js'
import { commandLine } from './command-line.js'

/** A log that has grown larger than this is put aside as `<name>.1` when a new one is begun. */
const LARGE = 16 * 1024 * 1024

/** Of what one command says so many characters are written down; a line counts for this many at least. */
const MOST = 1024 * 1024
const SHORTEST = 64

/** Where commands and what they say are written down, with times. */
export interface CommandLog {
  write(line: string): void
}

export const noLog: CommandLog = { write: () => {} }

/** What is told of a log that cannot be written: the first time, and once. */
export type OnUnwritten = (why: string) => void

/**
 * A log file (0600), appended to. Secrets never reach it: `commandLogger` leaves them out. On a disk that is full, or that may not be
 * written to, commands run all the same, and what they say is written down nowhere.
 */
export function fileLog(
  path: string,
  { now = () => new Date(), onUnwritten = () => {} }: { now?: () => Date; onUnwritten?: OnUnwritten } = {},
): CommandLog {
  let told = false
  const attempt = (what: () => void): void => {
    try {
      what()
    } catch (error) {
      if (!told) onUnwritten(`"${path}" cannot be written (${error instanceof Error ? error.message : String(error)})`)
      told = true
    }
  }
  attempt(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGE) renameSync(path, `${path}.1`)
  })
  return {
    write: (line) => attempt(() => appendFileSync(path, `${now().toISOString()} ${line}\n`, { mode: 0o600 })),
  }
}

/** One command's part of the log. */
export interface CommandLogger {
  line(line: string, stream: 'stdout' | 'stderr'): void
  ended(how: string, durationMs: number): void
}

let numbers = 0

/**
 * Begins a command's part: its command line, then each line of what it says under the same number, since commands may run side by
 * side. What is on stdin is told by its length; of a secret command nothing that it says is written; of the environment the names.
 */
export function commandLogger(log: CommandLog, command: Command, quiet: boolean): CommandLogger {
  numbers += 1
  const id = `[${numbers}]`
  const env = Object.keys(command.env ?? {}).map((name) => `${name}=... `)
  const stdin = command.stdin === undefined ? '' : ` (stdin: ${Buffer.byteLength(command.stdin)} bytes)`
  let left = MOST
  log.write(`${id} $ ${env.join('')}${commandLine(command)}${stdin}`)
  return {
    line: (line, stream) => {
      if (command.secret === true || quiet || left <= 0) return
      left -= Math.max(line.length, SHORTEST)
      log.write(`${id} ${stream === 'stderr' ? '!' : '|'} ${printable(line)}`)
      if (left <= 0) log.write(`${id} (what it says beyond this is not written down)`)
    },
    ended: (how, durationMs) => log.write(`${id} = ${how} after ${(durationMs / 1000).toFixed(1)} s`),
  }
}
