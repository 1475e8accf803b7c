import type {
  HeaderChange,
  RequestVerdict,
  RouteBackend,
  RouteDecision,
  ServiceModel,
  Snapshot,
  Step,
} from '@bulkhead/verdict'
import type { OwnAnswer } from '../http/own-answer.js'
import { noEndpoint } from '../obstacles.js'
import { ACCESS_DENIED, noHealthyUpstream, UNDECIDED, UNDECIDED_POLICY } from '../proxy/answers.js'

export type Forward = Extract<RouteDecision, { kind: 'forward' }>

/** What becomes of a request that has been judged. */
export type Plan =
  | {
      readonly kind: 'answer'
      readonly own: OwnAnswer
      readonly changes?: readonly HeaderChange[]
      /** In place of the verdict's, where the choice of a backend has the last word. */
      readonly steps?: readonly Step[]
    }
  | {
      readonly kind: 'forward'
      readonly forward: Forward
      readonly backend: RouteBackend
      readonly service: ServiceModel
    }

const answer = (own: OwnAnswer): Plan => ({ kind: 'answer', own })

/** The answer of the gateway's own, or the backend whose turn it is. `random`: from 0 up to, not including, 1. */
export function planFor(verdict: RequestVerdict, random: () => number, snapshot: Snapshot): Plan {
  const { decision } = verdict
  // The routes' word is the last; what is before it is policy's.
  const policy = refusedBy(verdict)
  if (policy === 'deny') return answer(ACCESS_DENIED)
  if (policy === 'unknown') return answer(UNDECIDED_POLICY)
  if (decision.kind === 'unknown') return answer(UNDECIDED)
  if (decision.kind === 'respond') {
    const symptom = decision.status === 404 ? 'gateway-404' : 'gateway-500'
    return answer({ status: decision.status, symptom, error: `no way on: ${decision.step.code}` })
  }
  if (decision.kind === 'redirect') {
    const { status, location, responseHeaders } = decision
    return { kind: 'answer', own: { status, location, symptom: 'redirected' }, changes: responseHeaders }
  }
  const backend = byWeight(decision.backends, random)
  if (backend === undefined || backend.invalid !== undefined) {
    const why = backend?.invalid ?? 'no backend of it has a weight'
    const step: Step = { ...decision.step, outcome: 'deny', code: 'route.no-backend', facts: { why } }
    const steps = verdict.steps.map((own) => (own === decision.step ? step : own))
    return { kind: 'answer', own: { status: 500, symptom: 'gateway-500', error: `no way on: ${why}` }, steps }
  }
  const service = snapshot.services.get(backend.service)
  if (service === undefined) {
    const steps: readonly Step[] = [...verdict.steps, { ...noEndpoint(backend.service), hop: 1 }]
    return { kind: 'answer', own: noHealthyUpstream(backend.service), steps }
  }
  return { kind: 'forward', forward: decision, backend, service }
}

/** What the policies before the routes say; the routes' own step is the decision's. */
function refusedBy({ steps, decision }: RequestVerdict): 'deny' | 'unknown' | undefined {
  let found: 'unknown' | undefined
  for (const step of steps) {
    if (step === decision.step || step.engine === 'gateway-api') continue
    if (step.outcome === 'deny') return 'deny'
    if (step.outcome === 'unknown') found = 'unknown'
  }
  return found
}

function byWeight(backends: readonly RouteBackend[], random: () => number): RouteBackend | undefined {
  const [only] = backends
  if (backends.length === 1 && only !== undefined) return only
  let sum = 0
  for (const { weight } of backends) sum += weight
  let left = random() * sum
  for (const backend of backends) {
    left -= backend.weight
    if (left < 0) return backend
  }
  return undefined
}
