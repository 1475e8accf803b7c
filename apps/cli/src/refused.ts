import type { Command } from 'commander'
import type { Typed } from './given.js'
import { CliError, type Io } from './io.js'
import { isForPrograms } from './report.js'

/** A refusal that has more to say to a program than its sentence. */
export class RefusedWith extends CliError {
  readonly code: string
  readonly more: Readonly<Record<string, unknown>>

  constructor(code: string, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.more = more
  }
}

/**
 * Says why a command was refused, or failed, where a program reads its result: `{"error": {"code", "message"}}` on stdout. A line, since it
 * may end a stream of lines (`flows -f --json`). People are told by whoever calls this; who interrupted a command knows why it ended.
 */
export function tellPrograms(error: unknown, io: Pick<Io, 'stdout' | 'signal'>, typed: Typed = (text) => text): void {
  if (!io.signal.aborted) io.stdout.write(`${JSON.stringify(refusalJson(error, typed))}\n`)
}

/**
 * Whether a program reads what a command says: every command that has `--json` is told so in the same place. A line that could not be read
 * to its end may have set no option, so its words are looked at as well.
 */
export function isReadByPrograms(command: Command, argv: readonly string[]): boolean {
  if (!command.options.some(({ long }) => long === '--json')) return false
  return isForPrograms(command.opts()) || argv.includes('--json')
}

function refusalJson(error: unknown, typed: Typed): unknown {
  if (!(error instanceof Error)) return { error: { code: 'refused', message: String(error) } }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'refused'
  return { error: { code, message: typed(error.message) }, ...(error instanceof RefusedWith && error.more) }
}
