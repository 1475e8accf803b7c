import type { AttemptKind, Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { askAgain } from './again.js'
import { hold } from './connection.js'
import type { Kind } from './kinds/kind.js'
import { symptomOf } from './symptom.js'
import { asFailure, defaultTimeoutMs, startTrace } from './trace.js'

/** Each kind is loaded when it is used: the probe starts once per attempt, and most attempts are plain HTTP. */
const kinds: Readonly<Record<AttemptKind, () => Promise<Kind>>> = {
  http: async () => (await import('./kinds/http.js')).http,
  tcp: async () => (await import('./kinds/tcp.js')).tcp,
  socket: async () => (await import('./kinds/tcp.js')).socket,
  tls: async () => (await import('./kinds/tls.js')).tls,
  hbone: async () => (await import('./kinds/hbone.js')).hbone,
  postgres: async () => (await import('./kinds/postgres.js')).postgres,
  mongo: async () => (await import('./kinds/mongo.js')).mongo,
  udp: async () => (await import('./kinds/udp.js')).udp,
  dns: async () => (await import('./kinds/dns.js')).dns,
  run: async () => (await import('./kinds/run.js')).run,
}

/**
 * Makes the attempt, as many times as it says, and says what the last one saw: one that is stopped on its way is the
 * last, since the next would be too. They share its time.
 * @throws Failure `NO_MATERIAL`, `BAD_MATERIAL`, `NO_POD`: the attempt cannot be made as it is written
 */
export async function makeAttempt(attempt: ResolvedAttempt, onHeld?: () => void): Promise<Observation> {
  const { times = 1, timeoutMs = defaultTimeoutMs } = attempt
  const start = performance.now()
  for (let made = 1; ; made++) {
    const left = Math.ceil(timeoutMs - (performance.now() - start))
    const seen = await tryOnce({ ...attempt, timeoutMs: Math.max(1, left) }, onHeld)
    if (made >= times || seen.symptom !== 'ok' || performance.now() - start >= timeoutMs) return seen
  }
}

/**
 * Makes one attempt and says what a client sees. Never takes longer than `timeoutMs` (default 5000), never throws for
 * what the network does.
 * @param onHeld called once the first answer has arrived, when the attempt holds its connection
 */
async function tryOnce(attempt: ResolvedAttempt, onHeld?: () => void): Promise<Observation> {
  const kind = await kinds[attempt.kind]()
  const trace = startTrace(attempt)
  try {
    const got = await kind(trace)
    let symptom = got.symptom ?? 'ok'
    let error = got.cut
    let http = got.http
    if (attempt.hold === true && got.open !== undefined && error === undefined && symptom === 'ok') {
      onHeld?.()
      if (attempt.again === true && got.again !== undefined) {
        const last = await askAgain(trace, got, got.again)
        http = last.http
        symptom = last.symptom ?? 'ok'
        error = last.cut
      } else {
        error = await hold(trace, got.open)
        if (error !== undefined) symptom = 'reset'
      }
    } else if (trace.phase === 'request') trace.phase = 'answer'
    got.open?.destroy()
    trace.stop()
    return {
      symptom,
      phase: trace.phase,
      timings: trace.timings,
      bytes: trace.bytes,
      ...(http === undefined ? {} : { http }),
      ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
      ...(got.detail === undefined ? {} : { detail: got.detail }),
    }
  } catch (thrown) {
    const failure = asFailure(thrown)
    const symptom = symptomOf(failure, trace)
    trace.stop()
    if (failure.code.endsWith('_MATERIAL') || failure.code === 'NO_POD') throw failure
    return {
      symptom,
      phase: trace.phase,
      timings: trace.timings,
      bytes: trace.bytes,
      error: { code: failure.code, message: failure.message },
    }
  }
}

const kindNames = Object.keys(kinds)
const portless: ReadonlySet<string> = new Set<AttemptKind>(['dns', 'socket', 'run'])

/** Reads a ResolvedAttempt from JSON. Throws an Error that says what is wrong with it. */
export function parseAttempt(text: string): ResolvedAttempt {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Error(`the attempt on stdin is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (typeof value !== 'object' || value === null) throw new Error('the attempt on stdin is not a JSON object')
  const { kind, host, port, times, timeoutMs } = value as Record<string, unknown>
  if (typeof kind !== 'string' || !kindNames.includes(kind)) {
    throw new Error(`"kind" is ${JSON.stringify(kind)}; it must be one of ${kindNames.join(', ')}`)
  }
  if (typeof host !== 'string' || host === '')
    throw new Error(`"host" is ${JSON.stringify(host)}; it must name whom to dial`)
  if (!portless.has(kind) && !(Number.isInteger(port) && Number(port) > 0 && Number(port) < 65536)) {
    throw new Error(`"port" is ${JSON.stringify(port)}; it must be a whole number from 1 to 65535`)
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0 && timeoutMs <= 600_000)) {
    throw new Error(`"timeoutMs" is ${JSON.stringify(timeoutMs)}; it must be from 1 to 600000 milliseconds`)
  }
  if (times !== undefined && !(Number.isInteger(times) && Number(times) >= 1 && Number(times) <= 100)) {
    throw new Error(`"times" is ${JSON.stringify(times)}; it must be a whole number from 1 to 100`)
  }
  return value as ResolvedAttempt
}
