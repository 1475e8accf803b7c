import type { KeyObject } from 'node:crypto'
import { Assertions, type SchedulerReport, schedulerOf } from '@bulkhead/intents'
import { Agent, request } from 'undici'
import { z } from 'zod'

/** For all of one exchange with the manager. */
export const REPORT_TIMEOUT_MS = 5_000
/** Of its answer: more is not read. */
const MAX_ANSWER_BYTES = 64 * 1024

/** What the manager says to a report. */
export interface ReportAnswer {
  /** The root that it expects of this node. */
  readonly rootHash: string
  readonly inSync: boolean
}

/** The way to the manager. */
export interface Manager {
  /** @throws Error within its own deadline, or when the signal says so; its message says what was the matter */
  report(report: SchedulerReport, signal: AbortSignal): Promise<ReportAnswer>
  close(): Promise<void>
}

const answerSchema = z.object({ data: z.object({ rootHash: z.string(), inSync: z.boolean() }) })

/** Speaks with the manager over HTTP. No redirect is followed: a report goes to the manager and to nobody else. */
export function connectManager(url: URL, node: string, key: KeyObject, timeoutMs: number = REPORT_TIMEOUT_MS): Manager {
  const assertions = new Assertions(key, schedulerOf)
  const agent = new Agent({
    connect: { timeout: timeoutMs },
    connections: 1,
    maxResponseSize: MAX_ANSWER_BYTES,
    keepAliveTimeout: 10_000,
  })
  const base = url.href.replace(/\/+$/, '')
  const target = `${base}/api/v1/schedulers/${encodeURIComponent(node)}`
  return {
    async report(report, signal) {
      const { ended, done } = deadline(signal, timeoutMs)
      try {
        const { statusCode, body } = await request(target, {
          dispatcher: agent,
          method: 'PUT',
          headers: { authorization: `Bearer ${await assertions.for(node)}`, 'content-type': 'application/json' },
          body: JSON.stringify(report),
          signal: ended,
        })
        const text = await body.text()
        if (statusCode !== 200) throw new Error(`it answered ${statusCode} ${JSON.stringify(text.slice(0, 200))}`)
        return readAnswer(text)
      } finally {
        done()
      }
    },
    async close() {
      await agent.destroy()
    },
  }
}

/** @throws Error that says what is wrong with it */
function readAnswer(text: string): ReportAnswer {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error('its answer is no JSON')
  }
  const read = answerSchema.safeParse(answer)
  if (!read.success) throw new Error('its answer is not of its contract')
  return read.data.data
}

/** Ends with the signal, or when the time is over. Not AbortSignal.any(): a signal that lives as long as the process would keep each one. */
function deadline(signal: AbortSignal, ms: number): { readonly ended: AbortSignal; readonly done: () => void } {
  const own = new AbortController()
  const stop = (): void => own.abort(signal.reason)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  const timer = setTimeout(() => own.abort(new Error(`it did not answer within ${ms} ms`)), ms)
  return {
    ended: own.signal,
    done: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    },
  }
}
