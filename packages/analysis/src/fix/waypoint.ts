import type { AuthorizationPolicy, AuthorizationRule } from '@bulkhead/resources'
import type { Snapshot, Step } from '@bulkhead/verdict'
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
