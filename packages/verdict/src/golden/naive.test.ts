import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { authorization, call, peerAuthentication, type RandomPolicy, rule } from '../testing/arbitrary.js'
import { type NaiveCall, naiveAuthorization, naiveStrict } from '../testing/naive.js'
import * as make from '../testing/objects.js'
import type { Pod, PointVerdict } from '../types.js'

/*
 * The engine against a second evaluator, and against itself: 1,000 random policy sets, 10,000 with BULKHEAD_LONG=1.
 * BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 10_000 : 1000
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)

type AuthorizationSet = readonly RandomPolicy<NonNullable<Parameters<typeof make.authorizationPolicy>[1]>>[]
type PeerSet = readonly RandomPolicy<NonNullable<Parameters<typeof make.peerAuthentication>[1]>>[]

const authorizations = fc.array(authorization, { minLength: 1, maxLength: 5 })
const peers = fc.array(peerAuthentication, { minLength: 1, maxLength: 4 })

function authorizationResources(policies: AuthorizationSet): Resource[] {
  return policies.map(({ namespace, dryRun, spec }, index) =>
    make.authorizationPolicy(`${namespace}/p${index}`, spec, {
      ...(dryRun && { annotations: { 'istio.io/dry-run': 'true' } }),
    }),
  )
}

function peerResources(policies: PeerSet): Resource[] {
  return policies.map(({ namespace, spec }, index) => make.peerAuthentication(`${namespace}/m${index}`, spec))
}

function plain(resources: readonly Resource[]): { readonly [key: string]: unknown }[] {
  return resources.map(({ object }) => ({ ...object }))
}

function ask(resources: readonly Resource[], { pod, port, ip, principal }: NaiveCall): PointVerdict {
  const destination: Pod = {
    key: `${pod.namespace}/pod`,
    namespace: pod.namespace,
    name: 'pod',
    workload: `${pod.namespace}/pod`,
    labels: pod.labels,
    serviceAccount: 'default',
    identity: `spiffe://cluster.local/ns/${pod.namespace}/sa/default`,
    mesh: true,
    hostNetwork: false,
    node: 'n',
    ip: pod.ip,
    ports: [],
  }
  const peer = { ip, ...(principal !== null && { identity: `spiffe://${principal}` }) }
  return judgeAt('ztunnel', { destination, port, peer }, compile(resources))
}

const codes = {
  deny: 'authz.rule-denies',
  default: 'authz.no-rule-allows',
  open: 'authz.no-allow-policy',
  allow: 'authz.rule-allows',
}

/** Counts how often each answer came up: a generator that never denies would test nothing. */
function tally(t: TestContext): { count(key: string): void; atLeast(share: number, ...keys: string[]): void } {
  const counts = new Map<string, number>()
  t.diagnostic(`seed ${seed}, ${numRuns} runs`)
  return {
    count: (key) => void counts.set(key, (counts.get(key) ?? 0) + 1),
    atLeast: (share, ...keys) => {
      t.diagnostic([...counts].map(([key, value]) => `${key} ${value}`).join(', '))
      for (const key of keys) assert.ok((counts.get(key) ?? 0) >= share * numRuns, `${key} hardly ever comes up`)
    },
  }
}

test('AuthorizationPolicy: the engine and the naive evaluator agree', (t) => {
  const seen = tally(t)
  fc.assert(
    fc.property(authorizations, call, (policies, one) => {
      const resources = authorizationResources(policies)
      const expected = naiveAuthorization(plain(resources), one)
      seen.count(expected)
      assert.equal(ask(resources, one).steps[1]?.code, codes[expected])
    }),
    { numRuns, seed },
  )
  seen.atLeast(0.02, 'deny', 'default', 'open', 'allow')
})

test('PeerAuthentication: the engine and the naive evaluator agree', (t) => {
  const seen = tally(t)
  fc.assert(
    fc.property(peers, call, (policies, one) => {
      const resources = peerResources(policies)
      const strict = naiveStrict(plain(resources), one.pod, one.port)
      const expected = strict && one.principal === null ? 'deny' : 'allow'
      seen.count(`${strict ? 'strict' : 'permissive'} ${expected}`)
      const step = ask(resources, one).steps[0]
      assert.equal(step?.outcome, expected)
      assert.equal(step?.code.startsWith('mtls.strict'), strict)
    }),
    { numRuns, seed },
  )
  seen.atLeast(0.02, 'strict deny', 'strict allow', 'permissive allow')
})

test('the order of the documents never matters to AuthorizationPolicies', () => {
  fc.assert(
    fc.property(
      authorizations,
      call,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      (set, one, dice) => {
        const resources = authorizationResources(set)
        const shuffled = resources
          .map((resource) => ({ resource, at: dice.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ resource }) => resource)
        assert.deepEqual(ask(shuffled, one), ask(resources, one))
      },
    ),
    { numRuns, seed },
  )
})

test('the order of the documents never matters to PeerAuthentications with a time of creation', () => {
  fc.assert(
    fc.property(peers, call, (policies, one) => {
      const resources = policies.map(({ namespace, spec }, index) =>
        make.peerAuthentication(`${namespace}/m${index}`, spec, { created: `2026-01-01T00:00:0${index}Z` }),
      )
      assert.deepEqual(ask([...resources].reverse(), one), ask(resources, one))
    }),
    { numRuns, seed },
  )
})

test('a rule added to an ALLOW policy never closes anything', () => {
  fc.assert(
    fc.property(authorizations, rule, fc.nat(), call, (policies, added, which, one) => {
      const before = ask(authorizationResources(policies), one).outcome
      const index = which % Math.max(1, policies.length)
      const wider = policies.map((policy, i) =>
        i === index && (policy.spec.action ?? 'ALLOW') === 'ALLOW'
          ? {
              ...policy,
              spec: { ...policy.spec, rules: [...(policy.spec.rules ?? []), JSON.parse(JSON.stringify(added))] },
            }
          : policy,
      )
      if (before === 'allow') assert.equal(ask(authorizationResources(wider), one).outcome, 'allow')
    }),
    { numRuns, seed },
  )
})

test('a DENY policy added never opens anything', () => {
  fc.assert(
    fc.property(authorizations, authorization, call, (policies, added, one) => {
      const before = ask(authorizationResources(policies), one).outcome
      const more: AuthorizationSet = [...policies, { ...added, spec: { ...added.spec, action: 'DENY' } }]
      if (before === 'deny') assert.equal(ask(authorizationResources(more), one).outcome, 'deny')
    }),
    { numRuns, seed },
  )
})
