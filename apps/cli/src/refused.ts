import { CliError, type Io, printJson } from './io.js'

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
 * Does something whose result a program reads from stdout: when it is refused, why is there too, as `{"error": {"code", "message"}}`.
 * People are told by whoever catches it. Whoever interrupts it knows why it ended.
 */
export async function saidToPrograms<T>(json: boolean, io: Io, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (json && !io.signal.aborted) printJson(io, refusalJson(error))
    throw error
  }
}

function refusalJson(error: unknown): unknown {
  if (!(error instanceof Error)) return { error: { code: 'refused', message: String(error) } }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'refused'
  return { error: { code, message: error.message }, ...(error instanceof RefusedWith && error.more) }
}
