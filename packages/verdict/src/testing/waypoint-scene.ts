import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import type { CompileOptions, Snapshot } from '../api.js'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import type { Flow, FlowDestination, Verdict } from '../types.js'
import { authorizationPolicy, service, waypoint, workload } from './objects.js'
import { scene, src } from './scene.js'

/*
 * Test code: the topology of the golden vectors with a waypoint app/wp before the Services app/dst and app/other.
 */

const labels = { 'istio.io/use-waypoint': 'wp' }
export const svc: FlowDestination = { service: 'app/dst' }
export const other: FlowDestination = { service: 'app/other' }
export const waypointPrincipal = 'cluster.local/ns/app/sa/wp'
export const wp = waypoint('app/wp')
export const behindWaypoint: readonly Resource[] = [
  ...scene.filter(({ id }) => id !== 'Service/app/dst'),
  service('app/dst', { port: 80, targetPort: 8080, labels }),
  workload('app/other', { ports: [{ containerPort: 8080 }] }),
  service('app/other', { port: 80, targetPort: 8080, labels }),
]

export function withWaypoint(policies: readonly Resource[] = [], options: CompileOptions = {}): Snapshot {
  return compile([...behindWaypoint, wp, ...policies], options)
}

/** app/src calls the Service through the waypoint. */
export function through(policies: readonly Resource[], rest: Partial<Flow> = {}): Verdict {
  return judge({ from: src, to: svc, port: 80, ...rest }, withWaypoint(policies))
}

type Spec = NonNullable<AuthorizationPolicy['spec']>

/** Attached to the Service app/dst. */
export function onService(spec: Spec, key = 'app/on-service'): Resource {
  return authorizationPolicy(key, { targetRefs: [{ kind: 'Service', group: '', name: 'dst' }], ...spec })
}

/** Attached to the waypoint. */
export function onWaypoint(spec: Spec, key = 'app/on-waypoint'): Resource {
  const group = 'gateway.networking.k8s.io'
  return authorizationPolicy(key, { targetRefs: [{ kind: 'Gateway', group, name: 'wp' }], ...spec })
}

/** Attached to every waypoint. */
export function onClass(spec: Spec, key = 'istio-system/on-class'): Resource {
  const group = 'gateway.networking.k8s.io'
  return authorizationPolicy(key, { targetRefs: [{ kind: 'GatewayClass', group, name: 'istio-waypoint' }], ...spec })
}

/** Outcome, symptom, and where it was decided: hop, point, code. */
export function decided({ outcome, symptom, decidedBy, steps }: Verdict): readonly unknown[] {
  const step = decidedBy === undefined ? steps.find((one) => one.outcome === 'unknown') : steps[decidedBy.step]
  return step === undefined ? [outcome, symptom] : [outcome, symptom, step.hop, step.point, step.code]
}
