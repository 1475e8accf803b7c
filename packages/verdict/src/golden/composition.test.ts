import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { ambient, authorizationPolicy, peerAuthentication, resource, workload } from '../testing/objects.js'
import type { FlowSource, Step } from '../types.js'

/*
 * Golden vectors 126 to 130, their part at ztunnel. Their CiliumNetworkPolicy is not modelled: the CNI says unknown.
 */

const cnp = resource({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name: 'world', namespace: 'demo' },
})
const topology = [
  ambient('demo'),
  workload('demo/hello-app'),
  workload('demo/worker'),
  workload('demo/postgres', { ports: [{ containerPort: 5432 }] }),
  cnp,
]
const helloOnly = authorizationPolicy('demo/postgres-policy', {
  selector: { matchLabels: { app: 'postgres' } },
  rules: [{ from: [{ source: { principals: ['cluster.local/ns/demo/sa/hello-app'] } }] }],
})
const client: FlowSource = { external: '203.0.113.7' }

function asked(policies: typeof topology, from: FlowSource): { outcome: string; symptom: string; ztunnel: string[] } {
  const of = judge({ from, to: { workload: 'demo/postgres' }, port: 5432 }, compile([...topology, ...policies]))
  const ztunnel = of.steps
    .filter((step: Step) => step.point === 'ztunnel')
    .map((step) => `${step.outcome} ${step.code}`)
  return { outcome: of.outcome, symptom: of.symptom, ztunnel }
}

test('126 another captured pod is refused by identity, whatever the CNI lets through', () => {
  assert.deepEqual(asked([helloOnly], { workload: 'demo/worker' }), {
    outcome: 'deny',
    symptom: 'reset',
    ztunnel: ['allow mtls.no-policy', 'deny authz.no-rule-allows'],
  })
  assert.equal(asked([helloOnly], { workload: 'demo/hello-app' }).ztunnel[1], 'allow authz.rule-allows')
})

test('127 without an ALLOW, ztunnel lets it through', () => {
  assert.equal(asked([], { workload: 'demo/worker' }).ztunnel[1], 'allow authz.no-allow-policy')
})

test('128 STRICT: a client outside is refused, by PeerAuthentication', () => {
  const strict = peerAuthentication('demo/default', { mtls: { mode: 'STRICT' } })
  assert.deepEqual(asked([strict], client), {
    outcome: 'deny',
    symptom: 'reset',
    ztunnel: ['deny mtls.strict-no-identity', 'allow authz.no-allow-policy'],
  })
})

test('129 PERMISSIVE and an ALLOW: a client outside is refused, having no identity', () => {
  assert.deepEqual(asked([helloOnly], client), {
    outcome: 'deny',
    symptom: 'reset',
    ztunnel: ['allow mtls.no-policy', 'deny authz.no-rule-allows'],
  })
})

test('130 PERMISSIVE and no policy: a hole, as far as ztunnel goes', () => {
  assert.deepEqual(asked([], client).ztunnel, ['allow mtls.no-policy', 'allow authz.no-allow-policy'])
})
