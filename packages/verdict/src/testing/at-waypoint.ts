import assert from 'node:assert/strict'
import type { AuthorizationPolicy, Resource } from '@bulkhead/resources'
import { judgeAt } from '../points/judge-at.js'
import type { HttpRequest } from '../routes/types.js'
import type { Step, WaypointEvidence } from '../types.js'
import { onService, withWaypoint } from './waypoint-scene.js'

/*
 * Test code: what the waypoint app/wp says of a request to the Service app/dst, or of a connection that carries none.
 */

type Spec = NonNullable<AuthorizationPolicy['spec']>
export type Rule = NonNullable<Spec['rules']>[number]

export const plainRequest: HttpRequest = { method: 'GET', host: 'dst.app', path: '/', headers: {} }
export const caller = 'spiffe://cluster.local/ns/app/sa/src'

export interface Asked {
  /** `tcp`: none. */
  readonly request?: Partial<HttpRequest> | 'tcp'
  readonly ip?: string
  readonly identity?: string
  readonly port?: number
  readonly trustDomain?: string
}

export function stepOf(policies: readonly Resource[], asked: Asked = {}): Step {
  const { request = {}, ip = '10.244.1.9', identity = caller, port = 80, trustDomain } = asked
  const snapshot = withWaypoint(policies, trustDomain === undefined ? {} : { trustDomain })
  const waypoint = [...snapshot.pods.values()].find((pod) => pod.waypoint === 'app/wp')
  const service = snapshot.services.get('app/dst')
  assert.ok(waypoint && service)
  const evidence: WaypointEvidence = {
    waypoint,
    peer: { ip, identity },
    to: { service, port },
    ...(request !== 'tcp' && { request: { ...plainRequest, ...request } }),
  }
  const { steps, outcome } = judgeAt('waypoint', evidence, snapshot)
  const [step, ...more] = steps
  assert.ok(step && more.length === 0)
  assert.equal(outcome, step.outcome)
  return step
}

export const source = (value: object): Rule => ({ from: [{ source: value }] })
export const operation = (value: object): Rule => ({ to: [{ operation: value }] })
export const when = (key: string, values?: readonly string[], notValues?: readonly string[]): Rule => ({
  when: [{ key, ...(values && { values }), ...(notValues && { notValues }) }],
})

/** As an ALLOW the rule lets the request in exactly if it matches; as a DENY it keeps it out exactly if it matches. */
export function assertMatches(rule: Rule, asked: Asked, matches: boolean): void {
  const what = `${JSON.stringify(rule)} of ${JSON.stringify(asked)}`
  const allow = stepOf([onService({ rules: [rule] })], asked)
  assert.equal(allow.code, matches ? 'authz.rule-allows' : 'authz.no-rule-allows', what)
  const deny = stepOf([onService({ action: 'DENY', rules: [rule] })], asked)
  assert.equal(deny.code, matches ? 'authz.rule-denies' : 'authz.no-allow-policy', what)
}
