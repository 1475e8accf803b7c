import type { Readable, Writable } from 'node:stream'
import { columnsOf, fit } from './fit.js'

/** All that a command may touch of the process that runs it, so that commands are tested in process. */
export interface Io {
  readonly stdin: Readable
  /** Results. */
  readonly stdout: Writable
  /** Notes, progress and errors. */
  readonly stderr: Writable
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether stdout is a terminal that wants colour. */
  readonly colour: boolean
  /** Aborted by the first Ctrl-C or SIGTERM; the second one ends the process at once. `reason` is the signal's name. */
  readonly signal: AbortSignal
  /** Sets the exit code of the command: 0 unless it is called, the last call wins. Does not end anything. */
  exit(code: number): void
}

/** Exit codes that mean the same in every command (each command's --help names its own). */
export const exitCodes = { ok: 0, deny: 1, badInput: 2, unknown: 3 } as const

/** A failure that its reader can do something about: one sentence, no stack. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = exitCodes.badInput) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}

/** Writes text of the result for people; on a terminal it is broken between words. */
export function print(io: Io, text: string): void {
  write(io.stdout, text)
}

/** Writes a line that is not part of the result: progress, a hint. */
export function note(io: Io, text: string): void {
  write(io.stderr, text)
}

function write(stream: Writable, text: string): void {
  const fitted = fit(text, columnsOf(stream))
  stream.write(fitted.endsWith('\n') ? fitted : `${fitted}\n`)
}

/**
 * Text of which others choose parts (names in manifests, hosts, logs), safe for a terminal: control characters and those
 * that turn the direction of writing are shown as escapes. New lines and tabs stay, and so do colours where wanted.
 */
export function printable(text: string, keep?: 'colours'): string {
  const shown = (found: string) =>
    found.length > 1 ? found : `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  return text.replace(keep === 'colours' ? unprintableOrColour : unprintable, shown)
}

const unprintable = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu
const unprintableOrColour = new RegExp(`\u001b\\[[\\d;]*m|${unprintable.source}`, 'gu')

/** `--json`: one document, indented, so that it is read by people and programs alike. */
export function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Colour is for a terminal, and NO_COLOR (set to anything but the empty string) turns it off: no-color.org. */
export function wantsColour(stream: { readonly isTTY?: boolean | undefined }, env: Io['env']): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}
