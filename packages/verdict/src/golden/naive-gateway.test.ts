import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { gatewayPolicy, type RandomGatewayPolicy, request } from '../testing/arbitrary-requests.js'
import { type NaiveAnswer, type NaiveRequest, naiveGateway } from '../testing/naive-gateway.js'
import { ambient, authorizationPolicy, gateway } from '../testing/objects.js'

/*
 * The engine against a second evaluator, at a gateway: 1,000 random policy sets and requests, 10,000 with BULKHEAD_LONG=1.
 * BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 10_000 : 1000
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)
const sets = fc.array(gatewayPolicy, { minLength: 1, maxLength: 5 })

const listeners = [80, 8080].map((port) => ({ name: `http-${port}`, port, protocol: 'HTTP' }))
const scene = [ambient('a'), gateway('a/gw', { listeners })]

function resourcesOf(policies: readonly RandomGatewayPolicy[]): Resource[] {
  return policies.map(({ namespace, dryRun, spec }, index) =>
    authorizationPolicy(`${namespace}/p${index}`, spec, {
      ...(dryRun && { annotations: { 'istio.io/dry-run': 'true' } }),
    }),
  )
}

function ask(
  policies: readonly Resource[],
  { method, host, path, headers, ip, port, principal }: NaiveRequest,
): string[] {
  const snapshot = compile([...scene, ...policies])
  const pod = [...snapshot.pods.values()].find((one) => one.gateway === 'a/gw')
  assert.ok(pod)
  const peer = { ip, ...(principal !== null && { identity: `spiffe://${principal}` }) }
  const said = judgeAt(
    'gateway',
    { gateway: { ...pod, ip: '10.0.9.9' }, port, peer, request: { method, host, path, headers } },
    snapshot,
  )
  return [said.steps[0]?.outcome ?? '', said.steps[0]?.code ?? '']
}

const gatewayPlace = {
  namespace: 'a',
  name: 'gw',
  labels: { 'gateway.networking.k8s.io/gateway-name': 'gw' },
  ip: '10.0.9.9',
}
const answers: Readonly<Record<NaiveAnswer, readonly [string, string]>> = {
  deny: ['deny', 'authz.rule-denies'],
  default: ['deny', 'authz.no-rule-allows'],
  open: ['allow', 'authz.no-allow-policy'],
  allow: ['allow', 'authz.rule-allows'],
  unknown: ['unknown', 'not-modelled'],
}

test('requests at a gateway: the engine and the naive evaluator agree', (t) => {
  const seen: Record<NaiveAnswer, number> = { deny: 0, default: 0, open: 0, allow: 0, unknown: 0 }
  t.diagnostic(`seed ${seed}, ${numRuns} runs`)
  fc.assert(
    fc.property(sets, request, (policies, one) => {
      const resources = resourcesOf(policies)
      const plain = resources.map(({ object }) => ({ ...object }))
      const expected = naiveGateway(plain, gatewayPlace, one)
      seen[expected] += 1
      assert.deepEqual(ask(resources, one), answers[expected])
    }),
    { numRuns, seed },
  )
  t.diagnostic(JSON.stringify(seen))
  // A generator that never denies would test nothing.
  for (const [answer, count] of Object.entries(seen))
    assert.ok(count >= 0.01 * numRuns, `${answer} hardly ever comes up`)
})

test('the order of the documents never matters at a gateway either', () => {
  fc.assert(
    fc.property(sets, request, (policies, one) => {
      const resources = resourcesOf(policies)
      assert.deepEqual(ask([...resources].reverse(), one), ask(resources, one))
    }),
    { numRuns: numRuns / 4, seed },
  )
})
