import assert from 'node:assert/strict'
import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import type { Snapshot } from '../api.js'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import type { HttpRequest } from '../routes/types.js'
import type { GatewayEvidence, Pod, Step } from '../types.js'
import { ambient, authorizationPolicy, gateway, httpRoute, service, workload } from './objects.js'

/*
 * Test code: a gateway app/gw with two listeners before app/dst, and AuthorizationPolicies on it.
 */

export type Spec = NonNullable<AuthorizationPolicy['spec']>
export type Rule = NonNullable<Spec['rules']>[number]

export const target = { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'gw' }
export const scene = [
  ambient('app'),
  ambient('other'),
  workload('app/dst', { ports: [{ containerPort: 8080 }] }),
  service('app/dst', { port: 80, targetPort: 8080 }),
  gateway('app/gw', {
    listeners: [
      { name: 'http', port: 80, protocol: 'HTTP' },
      { name: 'alt', port: 8080, protocol: 'HTTP' },
    ],
  }),
  httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] }),
]

export const plainRequest: HttpRequest = { method: 'GET', host: 'shop.example.org', path: '/', headers: {} }

export interface Asked {
  readonly request?: Partial<HttpRequest>
  readonly ip?: string
  readonly identity?: string
  readonly port?: number
}

export function gatewayPod(snapshot: Snapshot): Pod {
  const pod = [...snapshot.pods.values()].find((one) => one.gateway === 'app/gw')
  assert.ok(pod)
  return pod
}

export function stepOf(
  policies: readonly Resource[],
  { request, ip = '203.0.113.7', identity, port = 80 }: Asked = {},
): Step {
  const snapshot = compile([...scene, ...policies])
  const evidence: GatewayEvidence = {
    gateway: gatewayPod(snapshot),
    port,
    peer: { ip, ...(identity !== undefined && { identity }) },
    request: { ...plainRequest, ...request },
  }
  const { steps } = judgeAt('gateway', evidence, snapshot)
  assert.deepEqual(
    steps.map(({ engine }) => engine),
    ['istio', 'gateway-api'],
  )
  return steps[0] as Step
}

export const policy = (spec: Spec, key = 'app/p', annotations?: Readonly<Record<string, string>>): Resource =>
  authorizationPolicy(key, spec, { ...(annotations && { annotations }) })
export const rules = (rule: Rule, action: Spec['action'] = 'ALLOW'): Resource =>
  policy({ targetRefs: [target], ...(action && { action }), rules: [rule] })
export const source = (value: object): Rule => ({ from: [{ source: value }] })
export const operation = (value: object): Rule => ({ to: [{ operation: value }] })
export const when = (key: string, values?: readonly string[], notValues?: readonly string[]): Rule => ({
  when: [{ key, ...(values && { values }), ...(notValues && { notValues }) }],
})

/** As an ALLOW the rule lets the request in exactly if it matches; as a DENY it keeps it out exactly if it matches. */
export function assertMatches(rule: Rule, asked: Asked, matches: boolean): void {
  const what = `${JSON.stringify(rule)} of ${JSON.stringify(asked)}`
  assert.equal(stepOf([rules(rule)], asked).code, matches ? 'authz.rule-allows' : 'authz.no-rule-allows', what)
  assert.equal(stepOf([rules(rule, 'DENY')], asked).code, matches ? 'authz.rule-denies' : 'authz.no-allow-policy', what)
}
