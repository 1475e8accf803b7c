import type { AuthorizationPolicy, AuthorizationRule } from '@bulkhead/resources'
import { type Flow, nextHop, type Snapshot, type Step } from '@bulkhead/verdict'
import type { Destination } from '../matrix/questions.js'
import { addedPolicy, type Candidate, yamlText } from './edits.js'

/**
 * A rule that lists this very caller and request at a waypoint; where the connection carries no request, the port.
 * Undefined for a caller without an identity, which nobody is there.
 */
export function waypointRule({ facts }: Step): AuthorizationRule | undefined {
  const { identity, request, port } = facts ?? {}
  if (typeof identity !== 'string') return undefined
  // `GET /orders?x=1`
  const [, method, path] = /^(\S+) ([^?]*)/.exec(String(request ?? '')) ?? []
  const operation =
    method === undefined || path === undefined ? { ports: [String(port)] } : { methods: [method], paths: [path] }
  return { from: [{ source: { principals: [identity.replace('spiffe://', '')] } }], to: [{ operation }] }
}

/** A policy of its own for what was called through the waypoint: the Service, or else all that the waypoint serves. */
export function allowAtWaypoint(
  step: Step,
  snapshot: Snapshot,
  rule: AuthorizationRule | undefined,
): readonly Candidate[] {
  const { isolatedBy: [isolating] = [], closest, facts } = step
  if (rule === undefined || isolating === undefined || closest !== undefined) return []
  const [kind, group, key] =
    facts?.service === undefined
      ? ['Gateway', 'gateway.networking.k8s.io', String(facts?.waypoint)]
      : ['Service', '', String(facts.service)]
  const [namespace = '', name = ''] = key.split('/')
  const object: AuthorizationPolicy = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `allow-at-${name}`, namespace },
    spec: { targetRefs: [{ group, kind, name }], action: 'ALLOW', rules: [rule] },
  }
  const says = `add an ALLOW policy with targetRefs to ${kind} ${key}, with the rule: ${yamlText(rule)}`
  return addedPolicy(snapshot, object, isolating, says)
}

/** Whether a captured pod that calls that port of the Service comes by a waypoint: what its pods' ports say is not all then. */
export function calledThroughWaypoint(key: string, port: number, snapshot: Snapshot): boolean {
  const service = snapshot.services.get(key)
  const source = [...snapshot.pods.values()].find(({ mesh }) => mesh)
  if (service === undefined || source === undefined || snapshot.waypoints.size === 0) return false
  const pod = snapshot.pods.get(service.endpoints[0] ?? '')
  const destination = pod ?? { ip: service.clusterIP ?? '' }
  return nextHop({ source, destination, port, service, servicePort: port }, snapshot).waypoint !== undefined
}

/** The request of a flow to a Service behind a waypoint, to ask it of others; undefined for a flow that is none. */
export function waypointDestination({ to, port, http }: Flow, snapshot: Snapshot): Destination | undefined {
  if (!('service' in to) || http === undefined || !calledThroughWaypoint(to.service, port, snapshot)) return undefined
  const endpoints = snapshot.services.get(to.service)?.endpoints ?? []
  const workloads = [...new Set(endpoints.flatMap((key) => snapshot.pods.get(key)?.workload ?? []))].sort()
  return { name: `${to.service}:${port} ${http.method} ${http.path}`, flow: { to, port, http }, workloads }
}
