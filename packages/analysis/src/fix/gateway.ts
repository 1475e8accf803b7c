import type { AuthorizationPolicy, AuthorizationRule } from '@bulkhead/resources'
import type { Flow, Snapshot, Step } from '@bulkhead/verdict'
import { addedPolicy, type Candidate, yamlText } from './edits.js'

/** A rule that lists this very request at a gateway, and no caller: those of a gateway have no identity. */
export function gatewayRule(step: Step, flow: Flow, snapshot: Snapshot): AuthorizationRule | undefined {
  // `GET /orders?x=1`
  const [, method, path] = /^(\S+) ([^?]*)/.exec(String(step.facts?.request ?? '')) ?? []
  if (method === undefined || path === undefined) return undefined
  const host = flow.http?.host ?? hostAsked(step, flow, snapshot)
  return {
    to: [{ operation: { ...(host !== undefined && { hosts: [host] }), methods: [method], paths: [path] } }],
  }
}

/** A policy of its own for the gateway: one that selects pods would be one for the pods behind it as well. */
export function allowAtGateway(
  step: Step,
  snapshot: Snapshot,
  rule: AuthorizationRule | undefined,
): readonly Candidate[] {
  const [isolating] = step.isolatedBy ?? []
  const [, namespace, name] = String(step.facts?.gateway ?? '').split('/')
  if (rule === undefined || isolating === undefined || namespace === undefined || name === undefined) return []
  if (step.closest !== undefined) return []
  const object: AuthorizationPolicy = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: `allow-${name}`, namespace },
    spec: {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }],
      action: 'ALLOW',
      rules: [rule],
    },
  }
  const says = `add an ALLOW policy with targetRefs to Gateway ${namespace}/${name}, with the rule: ${yamlText(rule)}`
  return addedPolicy(snapshot, object, isolating, says)
}

/** Of a flow that says no host: one that the listener\'s routes have. */
function hostAsked(step: Step, { port }: Flow, snapshot: Snapshot): string | undefined {
  const gateway = snapshot.gateways.get(String(step.facts?.gateway ?? '').replace(/^Gateway\//, ''))
  const hosts = gateway?.listeners.filter((listener) => listener.port === port).flatMap((listener) => listener.hosts)
  return hosts?.find((host) => !host.startsWith('*'))
}
