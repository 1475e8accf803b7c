import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy, KubernetesObject, Resource } from '@bulkhead/resources'
import type { Snapshot } from '../../api.js'
import { compile } from '../../model/compile.js'
import { CompileError } from '../../model/compile-error.js'
import type { HttpRequest } from '../../routes/types.js'
import { ambient, authorizationPolicy, gateway, httpRoute, resource, service, workload } from '../../testing/objects.js'
import type { GatewayEvidence, Pod, Step } from '../../types.js'
import { judgeAt } from '../judge-at.js'

/*
 * AuthorizationPolicies at a gateway, attribute by attribute (semantics C.4 and C.6, Envoy's column).
 */

type Spec = NonNullable<AuthorizationPolicy['spec']>
type Rule = NonNullable<Spec['rules']>[number]

const target = { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'gw' }
const scene = [
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

const plainRequest: HttpRequest = { method: 'GET', host: 'shop.example.org', path: '/', headers: {} }

interface Asked {
  readonly request?: Partial<HttpRequest>
  readonly ip?: string
  readonly identity?: string
  readonly port?: number
}

function gatewayPod(snapshot: Snapshot): Pod {
  const pod = [...snapshot.pods.values()].find((one) => one.gateway === 'app/gw')
  assert.ok(pod)
  return pod
}

function stepOf(policies: readonly Resource[], { request, ip = '203.0.113.7', identity, port = 80 }: Asked = {}): Step {
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

const policy = (spec: Spec, key = 'app/p', annotations?: Readonly<Record<string, string>>): Resource =>
  authorizationPolicy(key, spec, { ...(annotations && { annotations }) })
const rules = (rule: Rule, action: Spec['action'] = 'ALLOW'): Resource =>
  policy({ targetRefs: [target], ...(action && { action }), rules: [rule] })
const source = (value: object): Rule => ({ from: [{ source: value }] })
const operation = (value: object): Rule => ({ to: [{ operation: value }] })
const when = (key: string, values?: readonly string[], notValues?: readonly string[]): Rule => ({
  when: [{ key, ...(values && { values }), ...(notValues && { notValues }) }],
})

/** As an ALLOW the rule lets the request in exactly if it matches; as a DENY it keeps it out exactly if it matches. */
function assertMatches(rule: Rule, asked: Asked, matches: boolean): void {
  const what = `${JSON.stringify(rule)} of ${JSON.stringify(asked)}`
  assert.equal(stepOf([rules(rule)], asked).code, matches ? 'authz.rule-allows' : 'authz.no-rule-allows', what)
  assert.equal(stepOf([rules(rule, 'DENY')], asked).code, matches ? 'authz.rule-denies' : 'authz.no-allow-policy', what)
}

test('callers have no identity: nothing positive matches, and every not does', () => {
  const values: Readonly<Record<string, string>> = {
    principals: '*',
    namespaces: '*',
    serviceAccounts: 'app/src',
    trustDomains: '*',
    requestPrincipals: '*',
  }
  for (const [name, value] of Object.entries(values)) {
    const not = `not${name[0]?.toUpperCase()}${name.slice(1)}`
    assertMatches(source({ [name]: [value] }), {}, false)
    assertMatches(source({ [not]: [value] }), {}, true)
  }
  for (const key of [
    'source.principal',
    'source.namespace',
    'source.serviceAccount',
    'request.auth.principal',
    'request.auth.audiences',
    'request.auth.presenter',
    'request.auth.claims[iss]',
    'request.auth.claims[a][b]',
    'connection.sni',
  ]) {
    assertMatches(when(key, ['*']), {}, false)
    assertMatches(when(key, undefined, ['*']), {}, true)
  }
})

test('should one have an identity, it counts', () => {
  const asked = { identity: 'spiffe://cluster.local/ns/app/sa/src' }
  assertMatches(source({ principals: ['cluster.local/ns/app/sa/src'] }), asked, true)
  assertMatches(source({ principals: ['*/sa/src'] }), asked, true)
  assertMatches(source({ principals: ['cluster.local/ns/app/sa/other'] }), asked, false)
  assertMatches(source({ namespaces: ['a*p'] }), asked, true)
  assertMatches(source({ namespaces: ['other', 'b*'] }), asked, false)
  assertMatches(source({ serviceAccounts: ['src'] }), asked, true)
  assertMatches(source({ serviceAccounts: ['other/src'] }), asked, false)
  assertMatches(source({ trustDomains: ['cluster.local'] }), asked, true)
  assertMatches(source({ notTrustDomains: ['cluster.local'] }), asked, false)
})

test('addresses: ipBlocks is the TCP peer, and without trusted proxies so is the client', () => {
  const forwarded = { 'x-forwarded-for': '198.51.100.9' }
  for (const name of ['ipBlocks', 'remoteIpBlocks']) {
    assertMatches(source({ [name]: ['203.0.113.0/24'] }), {}, true)
    assertMatches(source({ [name]: ['203.0.113.8', '10.0.0.0/8'] }), {}, false)
    assertMatches(source({ [name]: ['2001:db8::/32'] }), { ip: '2001:db8::9' }, true)
    assertMatches(source({ [name]: ['198.51.100.9'] }), { request: { headers: forwarded } }, false)
    assertMatches(source({ [`not${name[0]?.toUpperCase()}${name.slice(1)}`]: ['203.0.113.7'] }), {}, false)
  }
  for (const key of ['source.ip', 'remote.ip']) {
    assertMatches(when(key, ['203.0.113.7']), {}, true)
    assertMatches(when(key, ['198.51.100.9']), { request: { headers: forwarded } }, false)
    assertMatches(when(key, undefined, ['203.0.113.0/24']), {}, false)
  }
  const { ip } = gatewayPod(compile(scene))
  assertMatches(when('destination.ip', [ip]), {}, true)
  assertMatches(when('destination.ip', ['10.0.0.1']), {}, false)
})

test('ports are the listener’s', () => {
  assertMatches(operation({ ports: ['80'] }), {}, true)
  assertMatches(operation({ ports: ['8080'] }), {}, false)
  assertMatches(operation({ ports: ['8080'] }), { port: 8080 }, true)
  assertMatches(operation({ notPorts: ['80'] }), {}, false)
  assertMatches(when('destination.port', ['80', '81']), {}, true)
  assertMatches(when('destination.port', undefined, ['80']), {}, false)
})

test('a port that is no number takes an ALLOW rule along, and only itself out of a DENY', () => {
  assert.equal(stepOf([rules(operation({ ports: ['80', 'http'] }))]).code, 'authz.no-rule-allows')
  assert.equal(stepOf([rules(operation({ ports: ['80', 'http'] }), 'DENY')]).code, 'authz.rule-denies')
  assert.equal(
    stepOf([rules(operation({ ports: ['http'] }), 'DENY')]).code,
    'authz.rule-denies',
    'nothing is left of it',
  )
  const { closest } = stepOf([rules(operation({ ports: ['http'] }))])
  assert.match(closest?.lacks[0]?.has ?? '', /"http" is no port number/)
})

test('hosts: any case, with the port if the client sent it', () => {
  const host = (value: string): Asked => ({ request: { host: value } })
  assertMatches(operation({ hosts: ['Shop.Example.org'] }), host('sHOP.example.ORG'), true)
  assertMatches(operation({ hosts: ['shop.example.org'] }), host('shop.example.org:8080'), false)
  assertMatches(operation({ hosts: ['shop.example.org:*'] }), host('shop.example.org:8080'), true)
  assertMatches(operation({ hosts: ['*.example.org'] }), host('shop.example.org'), true)
  assertMatches(operation({ hosts: ['*.example.org'] }), host('example.org'), false)
  assertMatches(operation({ hosts: ['shop.*'] }), host('SHOP.anything'), true)
  assertMatches(operation({ hosts: ['s*p.example.org'] }), host('shop.example.org'), false)
  assertMatches(operation({ hosts: ['*'] }), host('x'), true)
  assertMatches(operation({ hosts: ['*'] }), host(''), false)
  assertMatches(operation({ notHosts: ['shop.example.org'] }), host('shop.example.org'), false)
  assertMatches(operation({ notHosts: ['*'] }), host(''), true)
})

test('methods have a case', () => {
  assertMatches(operation({ methods: ['GET', 'HEAD'] }), {}, true)
  assertMatches(operation({ methods: ['get'] }), {}, false)
  assertMatches(operation({ methods: ['P*'] }), { request: { method: 'PATCH' } }, true)
  assertMatches(operation({ methods: ['*'] }), { request: { method: 'BREW' } }, true)
  assertMatches(operation({ notMethods: ['GET'] }), {}, false)
})

test('paths: exact, prefix, suffix, presence, templates; with a case, without the query, normalised', () => {
  const path = (value: string): Asked => ({ request: { path: value } })
  assertMatches(operation({ paths: ['/admin'] }), path('/admin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('/admin?x=/public'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('/Admin'), false)
  assertMatches(operation({ paths: ['/admin'] }), path('/admin/'), false)
  assertMatches(operation({ paths: ['/admin*'] }), path('/administration'), true)
  assertMatches(operation({ paths: ['*.html'] }), path('/a/b.html?c'), true)
  assertMatches(operation({ paths: ['*.html'] }), path('/a?b.html'), false)
  assertMatches(operation({ paths: ['*'] }), path('/'), true)
  assertMatches(operation({ paths: ['/a*b'] }), path('/axb'), false)
  assertMatches(operation({ paths: ['/admin'] }), path('/x/../admin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('/%61dmin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('\\admin'), true)
  assertMatches(operation({ paths: ['/admin'] }), path('//admin'), false)
  assertMatches(operation({ paths: ['/a/{*}/c'] }), path('/a/b/c?d'), true)
  assertMatches(operation({ paths: ['/a/{*}/c'] }), path('/a/b/b/c'), false)
  assertMatches(operation({ paths: ['/a/{**}'] }), path('/a/b/c'), true)
  assertMatches(operation({ notPaths: ['/healthz', '/a/{*}'] }), path('/a/b'), false)
  assertMatches(operation({ notPaths: ['/healthz', '/a/{*}'] }), path('/a'), true)
  assert.throws(
    () => stepOf([rules(operation({ paths: ['/{**}/x/{*}'] }))]),
    (error) => error instanceof CompileError && error.message.endsWith('"/{**}/x/{*}" is not a path template'),
  )
})

test('headers: names of any case, values with theirs', () => {
  const headers = (value: Readonly<Record<string, string>>): Asked => ({ request: { headers: value } })
  const agent = 'request.headers[User-Agent]'
  assertMatches(when(agent, ['curl/8']), headers({ 'user-agent': 'curl/8' }), true)
  assertMatches(when(agent, ['curl/*']), headers({ 'user-agent': 'curl/8' }), true)
  assertMatches(when(agent, ['Curl/*']), headers({ 'user-agent': 'curl/8' }), false)
  assertMatches(when(agent, ['*/8']), headers({ 'user-agent': 'curl/8' }), true)
  assertMatches(when(agent, ['*']), headers({ 'user-agent': '' }), true)
  assertMatches(when(agent, ['*']), {}, false)
  assertMatches(when(agent, undefined, ['*']), {}, true)
  assertMatches(when(agent, undefined, ['curl/*']), headers({ 'user-agent': 'curl/8' }), false)
  assertMatches(when('request.headers[x-a]', ['1,2']), headers({ 'x-a': '1,2' }), true)
  assertMatches(when('request.headers[host]', ['shop.example.org']), {}, true)
  assertMatches(when('request.headers[:method]', ['GET']), {}, true)
  assertMatches(when('request.headers[constructor]', ['*']), {}, false)
})

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

test('the routes are asked also for what is denied, and what they say is the verdict’s decision', () => {
  const snapshot = compile([...scene, policy({})])
  const evidence = { gateway: gatewayPod(snapshot), port: 80, peer: { ip: '203.0.113.7' }, request: plainRequest }
  const said = judgeAt('gateway', evidence, snapshot)
  assert.equal(said.outcome, 'deny')
  assert.equal(said.decision.kind, 'forward')
  assert.equal(said.steps[1], said.decision.step)
})
