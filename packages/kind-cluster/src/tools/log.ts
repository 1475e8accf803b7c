import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { printable } from '@bulkhead/resources/printable'
import type { Command } from '../tools.js'
import { commandLine } from './command-line.js'

/** A log that has grown larger than this is put aside as `<name>.1` when a new one is begun. */
const LARGE = 16 * 1024 * 1024

/** Where commands and what they say are written down, with times. */
export interface CommandLog {
  write(line: string): void
}

export const noLog: CommandLog = { write: () => {} }

/** A log file (0600), appended to. Secrets never reach it: `commandLogger` leaves them out. */
export function fileLog(path: string, now: () => Date = () => new Date()): CommandLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LARGE) renameSync(path, `${path}.1`)
  return { write: (line) => appendFileSync(path, `${now().toISOString()} ${line}\n`, { mode: 0o600 }) }
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
  log.write(`${id} $ ${env.join('')}${commandLine(command)}${stdin}`)
  return {
    line: (line, stream) => {
      if (command.secret !== true && !quiet) log.write(`${id} ${stream === 'stderr' ? '!' : '|'} ${printable(line)}`)
    },
    ended: (how, durationMs) => log.write(`${id} = ${how} after ${(durationMs / 1000).toFixed(1)} s`),
  }
}
