import { setTimeout as pause } from 'node:timers/promises'
import type { Got } from './kinds/kind.js'
import { asFailure, deadlineCode, type Trace } from './trace.js'

/** Between an answer and the next request. */
const pauseMs = 100

/**
 * Asks on a connection that stays open until the answer is another than the first, the connection ends without one, or
 * the time is over. Brings the last answer; what ended the connection is its `cut`.
 */
export async function askAgain(trace: Trace, first: Got, again: () => Promise<Got>): Promise<Got> {
  trace.phase = 'held'
  let last = first
  for (;;) {
    await pause(pauseMs, undefined, { signal: trace.signal }).catch(() => undefined)
    if (trace.signal.aborted) return last
    try {
      last = await again()
    } catch (thrown) {
      const cut = asFailure(thrown)
      return cut.code === deadlineCode ? last : { ...last, symptom: 'reset', cut }
    }
    if (last.symptom !== first.symptom || last.http?.status !== first.http?.status) return last
    if (last.cut !== undefined) return last.cut.code === deadlineCode ? first : last
  }
}
