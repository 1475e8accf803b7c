import type { Snapshot } from '../api.js'
import { internalsOf } from '../model/internals.js'
import { changeHeaders } from '../routes/headers.js'
import type { RouteBackend, RouteDecision } from '../routes/types.js'
import type { Pod, ServiceModel, Step } from '../types.js'
import type { Caller } from './parties.js'
import { notModelled, type Obstacle, type Route, serviceRoute } from './route.js'
import type { Leg } from './waypoint.js'

/** Where a gateway sends a request, as a way like any other. */
export interface Onward {
  /** The route's step, with the backend that is judged. */
  readonly step: Step
  readonly leg: Leg
}

/** The gateway's own way to the backend that takes the largest part of such requests; only a step where it answers itself. */
export function onward(decision: RouteDecision, gateway: Pod, snapshot: Snapshot): Onward | { readonly step: Step } {
  if (decision.kind !== 'forward') return { step: decision.step }
  const backend = heaviest(decision.backends)
  const step = withWeight(decision.step, backend, decision.backends)
  if (backend.invalid !== undefined) {
    const facts = { ...step.facts, why: backend.invalid }
    return { step: { ...step, outcome: 'deny', code: 'route.no-backend', facts } }
  }
  const caller: Caller = { kind: 'pod', pod: gateway, name: gateway.workload }
  const service = snapshot.services.get(backend.service)
  const route = service === undefined ? gone(backend) : routeTo(service, backend.port, caller, snapshot)
  const { headers, ...request } = decision.request
  const sent = { ...request, headers: changeHeaders(headers, backend.requestHeaders) }
  const flow = {
    from: { workload: gateway.workload },
    to: { service: backend.service },
    port: backend.port,
    http: sent,
  }
  return { step, leg: { flow, caller, route } }
}

function routeTo(service: ServiceModel, port: number, caller: Caller, snapshot: Snapshot): Route {
  const route = serviceRoute(service, service.key, port, 'TCP', caller, snapshot)
  const other = internalsOf(snapshot).backendTls.of(service.key)
  return other === undefined ? route : { ...route, before: notModelled(other) }
}

/** The first of those with the largest weight. */
function heaviest(backends: readonly RouteBackend[]): RouteBackend {
  return backends.reduce((best, backend) => (backend.weight > best.weight ? backend : best))
}

function withWeight(step: Step, backend: RouteBackend, backends: readonly RouteBackend[]): Step {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0)
  const name = `${backend.service}:${backend.port}`
  const shared = backend.weight < total
  return {
    ...step,
    facts: { ...step.facts, backend: shared ? `${name} (${backend.weight} of ${total} requests)` : name },
  }
}

/** The routes were compiled with it: only a snapshot that was tampered with comes here. */
function gone({ service, port }: RouteBackend): Route {
  const before: Obstacle = { code: 'network.no-endpoint', outcome: 'deny', facts: { service } }
  return { name: service, address: { name: service, ip: service }, port, before }
}
