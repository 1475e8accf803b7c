import type { FlowFlag } from '@bulkhead/verdict'
import type { OwnAnswer } from '../http/own-answer.js'

/** Envoy's RBAC filter. */
export const ACCESS_DENIED: OwnAnswer = {
  status: 403,
  body: 'RBAC: access denied',
  symptom: 'rbac-403',
  flag: 'DENY',
  error: 'RBAC: access denied',
}

/** Envoy's router without a cluster member that is healthy. */
export const noHealthyUpstream = (service: string): OwnAnswer => ({
  status: 503,
  body: 'no healthy upstream',
  symptom: 'gateway-503',
  flag: 'NO_ENDPOINT',
  error: `no healthy upstream: ${service} has no ready pod`,
})

/** Envoy's router when a timeout of the route is over. */
export const TIMED_OUT: OwnAnswer = {
  status: 504,
  body: 'upstream request timeout',
  symptom: 'gateway-504',
  error: 'upstream request timeout',
}

/** Envoy's connection manager when a stream stands still. */
export const STOOD_STILL: OwnAnswer = {
  status: 504,
  body: 'stream timeout',
  symptom: 'gateway-504',
  error: 'the upstream did not answer in time: stream timeout',
}

export const unreachable = (reason: string, failure?: { flag: FlowFlag; error: string }): OwnAnswer => ({
  status: 503,
  body: `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
  symptom: 'gateway-503',
  ...(failure && { flag: failure.flag }),
  error: failure?.error ?? `no answer from the upstream: ${reason}`,
})

const NOT_MODELLED = 'refused: something that decides here is not modelled'

/** Of a policy that cannot be judged: as the filter answers that fails closed. */
export const UNDECIDED_POLICY: OwnAnswer = { ...ACCESS_DENIED, error: NOT_MODELLED }

/** Of a route. */
export const UNDECIDED: OwnAnswer = { status: 500, symptom: 'gateway-500', flag: 'DENY', error: NOT_MODELLED }
