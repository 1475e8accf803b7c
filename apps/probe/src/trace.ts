import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'

export type Phase = Observation['phase']
type Timed = 'dns' | 'connect' | 'tls' | 'firstByte' | 'end'

/** How long all of an attempt may take, where it does not say. */
export const defaultTimeoutMs = 5000
const defaultLateResetMs = 900

/** A failed attempt: the operating system's or the protocol's own code. */
export class Failure extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'Failure'
    this.code = code
  }
}

/** The deadline's code, as distinct from the operating system's own ETIMEDOUT. */
export const deadlineCode = 'TIMEOUT'
/** An orderly end (FIN) where an answer was due. */
export const endedCode = 'EOF'

/** What is known of an attempt while it runs. `phase` is the one it is in; a mark ends a phase. */
export interface Trace {
  readonly attempt: ResolvedAttempt
  phase: Phase
  /** Bytes of the application's answer so far. */
  bytes: number
  readonly timings: Partial<Record<Timed, number>>
  readonly lateResetMs: number
  /** How long all of it may take. */
  readonly deadlineMs: number
  /** Aborted at the deadline. */
  readonly signal: AbortSignal
  mark(what: Timed): void
  /** Counts bytes of the answer, and marks the first. */
  received(count: number): void
  /** What is to be closed at the end, whatever it was. */
  readonly opened: Set<{ destroy(): unknown }>
  /** Milliseconds since the start. */
  elapsed(): number
  /** Milliseconds since the connection opened; 0 before. */
  sinceConnect(): number
  stop(): void
}

export function startTrace(attempt: ResolvedAttempt): Trace {
  const start = performance.now()
  const deadline = new AbortController()
  const timeoutMs = attempt.timeoutMs ?? defaultTimeoutMs
  const timer = setTimeout(() => {
    deadline.abort(new Failure(deadlineCode, `nothing more within ${timeoutMs} ms`))
  }, timeoutMs)
  const elapsed = (): number => Math.round((performance.now() - start) * 100) / 100
  const trace: Trace = {
    attempt,
    phase: 'connect',
    bytes: 0,
    timings: {},
    deadlineMs: timeoutMs,
    lateResetMs: attempt.lateResetMs ?? defaultLateResetMs,
    signal: deadline.signal,
    opened: new Set(),
    mark(what) {
      trace.timings[what] ??= elapsed()
    },
    received(count) {
      if (count === 0) return
      trace.mark('firstByte')
      if (trace.phase === 'request') trace.phase = 'answer'
      trace.bytes += count
    },
    elapsed,
    sinceConnect: () => (trace.timings.connect === undefined ? 0 : elapsed() - trace.timings.connect),
    stop() {
      clearTimeout(timer)
      trace.mark('end')
      for (const one of trace.opened) one.destroy()
    },
  }
  return trace
}

/** Any thrown value as a Failure. Happy Eyeballs throws an AggregateError with the code of its first error. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (!(error instanceof Error)) return new Failure('UNKNOWN', String(error))
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return new Failure(code, error.message === '' ? code : error.message)
}
