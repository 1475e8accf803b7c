import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { compile } from '../../model/compile.js'
import {
  assertMatches,
  gatewayPod,
  operation,
  plainRequest,
  policy,
  type Rule,
  rules,
  type Spec,
  scene,
  source,
  stepOf,
  target,
  when,
} from '../../testing/gateway-scene.js'
import { gateway, resource } from '../../testing/objects.js'
import { judgeAt } from '../judge-at.js'

/*
 * Which AuthorizationPolicies apply at a gateway, how they are put together, and what stays unknown (semantics C.3, C.4).
 */

test('C.3 the grammar: rules OR, from OR, to OR, when AND, fields AND, values OR', () => {
  const get = operation({ methods: ['GET'] })
  const ip = source({ ipBlocks: ['203.0.113.7'] })
  assertMatches({ ...get, ...ip }, {}, true)
  assertMatches({ ...get, ...ip }, { ip: '10.0.0.1' }, false)
  assertMatches({ ...get, ...ip }, { request: { method: 'PUT' } }, false)
  assertMatches({ to: [...(get.to ?? []), { operation: { paths: ['/x'] } }] }, { request: { path: '/y' } }, true)
  assertMatches(operation({ methods: ['GET'], paths: ['/x'] }), { request: { path: '/y' } }, false)
  const both = [...(when('request.headers[a]', ['1']).when ?? []), ...(when('request.headers[b]', ['2']).when ?? [])]
  assertMatches({ when: both }, { request: { headers: { a: '1', b: '2' } } }, true)
  assertMatches({ when: both }, { request: { headers: { a: '1' } } }, false)
  assertMatches({}, {}, true)
  // Unlike at ztunnel, an entry with nothing in it is no constraint to Envoy.
  assertMatches({ from: [{ source: {} }], to: [{ operation: {} }] }, {}, true)
  assertMatches({ from: [], to: [] }, {}, true)
  const two = policy({ targetRefs: [target], rules: [operation({ paths: ['/x'] }), operation({ paths: ['/y'] })] })
  const step = stepOf([two], { request: { path: '/y' } })
  assert.deepEqual([step.code, step.rule], ['authz.rule-allows', 1])
})

test('C.3 actions: DENY before ALLOW; no ALLOW is open; {} closes; AUDIT and dry runs do nothing', () => {
  const everything: Rule = {}
  const allow = policy({ rules: [everything] }, 'app/allow')
  const code = (...policies: readonly Resource[]): string => stepOf(policies).code
  assert.equal(code(), 'authz.no-allow-policy')
  assert.equal(code(policy({})), 'authz.no-rule-allows')
  assert.equal(code(policy({ rules: [] })), 'authz.no-rule-allows')
  assert.equal(code(allow), 'authz.rule-allows')
  assert.equal(code(allow, policy({})), 'authz.rule-allows')
  assert.equal(code(allow, policy({ action: 'DENY', rules: [everything] })), 'authz.rule-denies')
  assert.equal(code(policy({ action: 'DENY', rules: [] })), 'authz.no-allow-policy')
  assert.equal(code(policy({ action: 'AUDIT', rules: [everything] })), 'authz.no-allow-policy')
  const dry = stepOf([policy({}, 'app/p', { 'istio.io/dry-run': 'true' })])
  assert.deepEqual([dry.code, dry.facts?.ignored], ['authz.no-allow-policy', 'AuthorizationPolicy/app/p (dry run)'])
})

test('C.3 CUSTOM asks somebody else: unknown for what its rules match, unless it is denied anyway', () => {
  const custom = (rule: Rule): Resource => policy({ action: 'CUSTOM', provider: { name: 'x' }, rules: [rule] }, 'app/c')
  const asked = stepOf([custom(operation({ paths: ['/'] }))])
  assert.deepEqual([asked.outcome, asked.code, asked.policy], ['unknown', 'not-modelled', 'AuthorizationPolicy/app/c'])
  assert.equal(stepOf([custom(operation({ paths: ['/x'] }))]).outcome, 'allow')
  assert.equal(stepOf([custom({}), policy({})]).code, 'authz.no-rule-allows')
  assert.equal(stepOf([custom({}), policy({ action: 'DENY', rules: [{}] })]).code, 'authz.rule-denies')
})

test('C.4 which policies apply at a gateway', () => {
  const onLabel = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } }
  const closes = (spec: Spec, key: string): boolean => stepOf([policy(spec, key)]).outcome === 'deny'
  const rows: [Spec, string, boolean, string][] = [
    [{}, 'app/p', true, 'of its namespace'],
    [{}, 'other/p', false, 'of another namespace'],
    [{}, 'istio-system/p', true, 'of the root namespace'],
    [{ selector: onLabel }, 'app/p', true, 'that selects its pod'],
    [{ selector: onLabel }, 'istio-system/p', true, 'that selects its pod, in the root namespace'],
    [{ selector: onLabel }, 'other/p', false, 'that would select it, elsewhere'],
    [{ selector: { matchLabels: { app: 'dst' } } }, 'app/p', false, 'that selects others'],
    [{ selector: {} }, 'app/p', true, 'with a selector that says nothing'],
    [{ targetRefs: [target] }, 'app/p', true, 'that names it'],
    [{ targetRefs: [target] }, 'istio-system/p', false, 'that names one in the root namespace'],
    [{ targetRefs: [{ ...target, namespace: 'app' }] }, 'app/p', true, 'that names it and its namespace'],
    [{ targetRefs: [{ ...target, namespace: 'other' }] }, 'app/p', false, 'that names another namespace'],
    [{ targetRefs: [{ ...target, name: 'other' }] }, 'app/p', false, 'that names another Gateway'],
    [{ targetRefs: [{ ...target, name: 'other' }, target] }, 'app/p', true, 'that names it among others'],
    [{ targetRefs: [{ ...target, group: 'networking.istio.io' }] }, 'app/p', false, 'that names a classic Gateway'],
    [{ targetRefs: [{ kind: 'Service', group: '', name: 'dst' }] }, 'app/p', false, 'on the Service behind it'],
    [{ targetRefs: [{ ...target, kind: 'GatewayClass', name: 'istio' }] }, 'istio-system/p', false, 'on its class'],
  ]
  for (const [spec, key, expected, what] of rows) assert.equal(closes(spec, key), expected, what)
})

test('a default deny names every ALLOW policy, and the rule that came closest', () => {
  const closest = rules({ ...operation({ hosts: ['shop.example.org'], methods: ['GET'], paths: ['/'] }) })
  const step = stepOf([policy({}, 'app/nothing'), closest], { request: { method: 'POST', path: '/buy' } })
  assert.deepEqual(
    step.isolatedBy?.map((one) => one.policy),
    ['AuthorizationPolicy/app/nothing', 'AuthorizationPolicy/app/p'],
  )
  assert.deepEqual(step.closest?.lacks, [
    { attribute: 'methods', wants: ['GET'], has: 'POST' },
    { attribute: 'paths', wants: ['/'], has: '/buy' },
  ])
  assert.equal(step.at, undefined)
  assert.equal(step.closest?.at.startsWith('p.yaml:'), true)
})

function object(apiVersion: string, kind: string, key: string, spec: object): Resource {
  const [ns = '', name = ''] = key.split('/')
  return resource({ apiVersion, kind, metadata: { name, namespace: ns }, spec } as KubernetesObject)
}

test('tokens: without a RequestAuthentication there are no claims; with one, what hangs on them is unknown', () => {
  const jwt = object('security.istio.io/v1', 'RequestAuthentication', 'app/jwt', { jwtRules: [{ issuer: 'x' }] })
  const elsewhere = object('security.istio.io/v1', 'RequestAuthentication', 'other/jwt', {
    jwtRules: [{ issuer: 'x' }],
  })
  const claims = rules(source({ requestPrincipals: ['x/*'] }))
  const token = { request: { headers: { authorization: 'Bearer e30' } } }
  assert.equal(stepOf([claims], token).code, 'authz.no-rule-allows')
  assert.equal(stepOf([claims, elsewhere], token).code, 'authz.no-rule-allows')
  assert.equal(stepOf([claims, jwt]).outcome, 'unknown')
  assert.equal(stepOf([rules(when('request.auth.claims[a]', ['b']), 'DENY'), jwt]).outcome, 'unknown')
  // What does not hang on them is said; but a token may be refused before any policy is asked.
  assert.equal(stepOf([jwt]).outcome, 'allow')
  const checked = stepOf([jwt], token)
  assert.deepEqual([checked.outcome, checked.policy], ['unknown', 'RequestAuthentication/app/jwt'])
  assert.equal(stepOf([jwt], { request: { path: '/?access_token=e30' } }).outcome, 'unknown')
  assert.equal(stepOf([jwt, policy({})], token).outcome, 'deny')
})

test('what changes a proxy altogether leaves it unknown, where it applies', () => {
  const filter = (key: string, spec: object = {}): Resource =>
    object('networking.istio.io/v1alpha3', 'EnvoyFilter', key, spec)
  assert.deepEqual(stepOf([filter('app/f')]).policy, 'EnvoyFilter/app/f')
  assert.equal(stepOf([filter('app/f')]).outcome, 'unknown')
  assert.equal(stepOf([filter('istio-system/f')]).outcome, 'unknown')
  assert.equal(stepOf([filter('other/f')]).outcome, 'allow')
  assert.equal(stepOf([filter('app/f', { workloadSelector: { labels: { app: 'dst' } } })]).outcome, 'allow')
  assert.equal(stepOf([object('extensions.istio.io/v1alpha1', 'WasmPlugin', 'app/w', {})]).outcome, 'unknown')
})

test('a word on whom the proxy trusts leaves remote addresses unknown', () => {
  const annotations = { 'proxy.istio.io/config': '{gatewayTopology: {numTrustedProxies: 1}}' }
  const trusting = gateway('app/gw', { infrastructure: { annotations } })
  const snapshot = compile([
    ...scene.filter(({ kind }) => kind !== 'Gateway'),
    trusting,
    rules(source({ remoteIpBlocks: ['10.0.0.0/8'] })),
  ])
  const peer = { ip: '203.0.113.7' }
  const said = judgeAt('gateway', { gateway: gatewayPod(snapshot), port: 80, peer, request: plainRequest }, snapshot)
  assert.equal(said.outcome, 'unknown')
})

test('a listener of another protocol leaves its port unknown, and no other', () => {
  const listeners = [
    { name: 'http', port: 80, protocol: 'HTTP' },
    { name: 'https', port: 443, protocol: 'HTTPS' },
  ]
  const others = scene.filter(({ kind }) => kind !== 'Gateway')
  const snapshot = compile([
    ...others,
    gateway('app/gw', { listeners }),
    rules(when('connection.sni', undefined, ['*']), 'DENY'),
  ])
  const ask = (port: number): unknown[] => {
    const peer = { ip: '203.0.113.7' }
    const said = judgeAt('gateway', { gateway: gatewayPod(snapshot), port, peer, request: plainRequest }, snapshot)
    return said.steps.map(({ engine, outcome }) => `${engine} ${outcome}`)
  }
  assert.deepEqual(ask(443), ['istio unknown', 'gateway-api unknown'])
  assert.deepEqual(ask(80), ['istio deny', 'gateway-api allow'])
})

test('a pod that is no gateway’s cannot be asked', () => {
  const snapshot = compile(scene)
  const [pod] = [...snapshot.pods.values()]
  assert.ok(pod)
  const evidence = { gateway: pod, port: 80, peer: { ip: '203.0.113.7' }, request: plainRequest }
  assert.throws(() => judgeAt('gateway', evidence, snapshot), /^TypeError: "app\/dst-.*" is no pod of a Gateway/)
})

test('whatever the request is, there is an answer to it', () => {
  const every = policy({
    targetRefs: [target],
    rules: [
      {
        ...operation({ hosts: ['*x'], notPaths: ['/a*', '/{**}'], methods: ['*'] }),
        ...when('request.headers[x]', ['*']),
      },
      operation({ paths: ['/a/{*}', '*z'], notHosts: ['a*'] }),
    ],
  })
  const snapshot = compile([...scene, every])
  const gatewayOf = gatewayPod(snapshot)
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '/', '/a/../%2e%2e/\\', '%', '%0', '/%00'),
  )
  const name = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'x', 'host'))
  const request = fc.record({ method: text, host: text, path: text, headers: fc.dictionary(name, text) })
  const outcomes = new Set<string>()
  fc.assert(
    fc.property(request, text, fc.integer({ min: 0, max: 65535 }), (asked, ip, port) => {
      const said = judgeAt('gateway', { gateway: gatewayOf, port, peer: { ip }, request: asked }, snapshot)
      assert.equal(said.steps.length, 2)
      outcomes.add(said.steps[0]?.code ?? '')
    }),
    { numRuns: 2000 },
  )
  assert.deepEqual([...outcomes].sort(), ['authz.no-rule-allows', 'authz.rule-allows'])
})

test('the routes are asked also for what is denied, and what they say is the verdict’s decision', () => {
  const snapshot = compile([...scene, policy({})])
  const evidence = { gateway: gatewayPod(snapshot), port: 80, peer: { ip: '203.0.113.7' }, request: plainRequest }
  const said = judgeAt('gateway', evidence, snapshot)
  assert.equal(said.outcome, 'deny')
  assert.equal(said.decision.kind, 'forward')
  assert.equal(said.steps[1], said.decision.step)
})
