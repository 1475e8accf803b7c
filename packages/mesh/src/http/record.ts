import type { IncomingMessage } from 'node:http'
import type { FlowFlag, FlowRecord, Step, Symptom } from '@bulkhead/verdict'
import { type Flow, type FlowLog, firstRefusal } from '../flows.js'
import { MAX_RECORDED } from './limits.js'
import type { OwnAnswer } from './own-answer.js'

/** What an exchange knows of itself at its end. */
export interface Told {
  readonly generation: number
  /** `http` at a gateway. */
  readonly transport: FlowRecord['transport']
  readonly method: string
  readonly host: string
  readonly path: string
  readonly status: number | undefined
  readonly route: string | undefined
  readonly upstream: string | undefined
  readonly steps: readonly Step[]
  readonly symptom: Symptom
  readonly flag: FlowFlag
  readonly error: string | undefined
  readonly sent: number
  readonly received: number
  /** When it began: by the clock, and by performance.now(). */
  readonly start: number
  readonly clock: number
}

const short = (text: string): string => (text.length > MAX_RECORDED ? `${text.slice(0, MAX_RECORDED)}…` : text)

/** One request's record. `flow`: of the connection that it came by. */
export function tell(flows: FlowLog, flow: Flow, told: Told): void {
  const { steps, flag, error, status, route, upstream } = told
  const { outcome, index } = firstRefusal(steps)
  // A network's proxy behind this one answered in the app's place, and its answer was passed on.
  const refusedBehind = told.symptom === 'ok' && index !== undefined && steps[index]?.code === 'cni.http-denied'
  flows.add((id) => ({
    id,
    generation: told.generation,
    start: new Date(told.start).toISOString(),
    durationMs: Math.round((performance.now() - told.clock) * 1000) / 1000,
    source: flow.source,
    destination: flow.destination,
    protocol: 'TCP',
    transport: told.transport,
    http: {
      method: told.method,
      host: short(told.host),
      path: short(told.path),
      ...(status !== undefined && { status }),
      ...(route !== undefined && { route }),
      ...(upstream !== undefined && { upstream }),
    } satisfies FlowRecord['http'],
    // Refused before any point was asked, as an illegal call of a pod is.
    outcome: flag === 'ILLEGAL' && outcome === 'allow' ? 'deny' : outcome,
    steps,
    ...(index !== undefined && { decidedBy: index }),
    symptom: refusedBehind ? 'cilium-403' : told.symptom,
    flag: refusedBehind ? 'DENY' : flag,
    ...(error !== undefined && { error }),
    bytesSent: told.sent,
    bytesReceived: told.received,
    ...(flow.run !== undefined && { run: flow.run }),
  }))
}

/** The record of what a proxy answered itself before there was an exchange. `message` is undefined where it never was a request. */
export function tellRefused(
  flows: FlowLog,
  flow: Flow,
  of: Pick<Told, 'generation' | 'transport'>,
  { body = '', status, symptom, flag = '-', error }: OwnAnswer,
  message: IncomingMessage | undefined,
): void {
  tell(flows, flow, {
    ...of,
    method: message?.method ?? '',
    host: message?.headers.host ?? '',
    path: message?.url ?? '',
    status,
    route: undefined,
    upstream: undefined,
    steps: flow.steps,
    symptom,
    flag,
    error,
    sent: 0,
    received: body.length,
    start: Date.now(),
    clock: performance.now(),
  })
}
