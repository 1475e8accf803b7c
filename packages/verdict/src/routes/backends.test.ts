import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, ask, gateway, grant, index, type Rule, request, route, services } from '../testing/routes.js'
import { compileRoutes } from './compile.js'
import { routeRequest } from './route.js'

const front = gateway('shop/front')
const rule = (backendRefs: Rule['backendRefs'], rest: Rule = {}) =>
  route('shop/r', { rules: [{ ...(backendRefs && { backendRefs }), ...rest }] })
const why = (backendRefs: Rule['backendRefs'], ...more: Parameters<typeof ask>[0]) => {
  const decision = ask([front, rule(backendRefs), ...more])
  assert.equal(answer(decision), '500')
  assert.equal(decision.step.code, 'route.no-backend')
  assert.equal(decision.step.outcome, 'deny')
  return String(decision.step.facts?.why)
}

/* As conformance/tests/httproute-omitted-backendrefs, -invalid-nonexistent-backendref, -invalid-backendref-unknown-kind. */
test('a rule without a backend that can be used is answered 500, and says why', () => {
  assert.equal(why(undefined), 'it has no backend')
  assert.equal(why([]), 'it has no backend')
  assert.match(why([{ name: 'missing', port: 80 }]), /there is no Service shop\/missing/)
  assert.match(why([{ name: 'a', port: 81 }]), /the Service shop\/a has no port 81/)
  assert.match(why([{ name: 'a' }]), /no port of the Service shop\/a is named/)
  assert.match(
    why([{ name: 'a', kind: 'Thing', group: 'example.org', port: 80 }]),
    /a Thing of example\.org is no backend/,
  )
  assert.match(why([{ name: 'a', kind: 'Pod', port: 80 }]), /a Pod is no backend/)
  // Positive control.
  assert.equal(answer(ask([front, rule([{ name: 'a', port: 80, group: '', kind: 'Service' }])])), 'a')
  // A route without rules has one without a backend: what the API server fills in.
  assert.equal(answer(ask([front, route('shop/r', {})])), '500')
})

test('weights: 1 unless it is said, 0 takes nothing, all 0 is answered 500', () => {
  assert.equal(why([{ name: 'a', port: 80, weight: 0 }]), 'all its backends have the weight 0')
  assert.equal(
    why([
      { name: 'a', port: 80, weight: 0 },
      { name: 'b', port: 80, weight: 0 },
    ]),
    'all its backends have the weight 0',
  )
  const decision = ask([
    front,
    rule([
      { name: 'a', port: 80, weight: 0 },
      { name: 'b', port: 80 },
      { name: 'c', port: 80, weight: 3 },
    ]),
  ])
  assert.ok(decision.kind === 'forward')
  assert.deepEqual(
    decision.backends.map(({ service, port, weight }) => [service, port, weight]),
    [
      ['shop/a', 80, 0],
      ['shop/b', 80, 1],
      ['shop/c', 80, 3],
    ],
  )
  assert.equal(decision.step.facts?.backend, 'shop/c:80 (3 of 4 requests)')
  const only = ask([
    front,
    rule([
      { name: 'a', port: 80, weight: 0 },
      { name: 'b', port: 80 },
    ]),
  ])
  assert.equal(only.step.facts?.backend, 'shop/b:80')
})

test('one backend of several that cannot be used keeps its part', () => {
  const decision = ask([
    front,
    rule([
      { name: 'a', port: 80 },
      { name: 'missing', port: 80, weight: 9 },
    ]),
  ])
  assert.ok(decision.kind === 'forward')
  assert.deepEqual(
    decision.backends.map(({ weight, invalid }) => [weight, invalid]),
    [
      [1, undefined],
      [9, 'there is no Service shop/missing'],
    ],
  )
  assert.match(
    String(decision.step.facts?.backend),
    /shop\/missing:80 \(9 of 10 requests, answered 500: there is no Service/,
  )
  // One that takes nothing does not make the others' trouble less.
  assert.match(
    why([
      { name: 'missing', port: 80 },
      { name: 'a', port: 80, weight: 0 },
    ]),
    /there is no Service shop\/missing/,
  )
})

/* As conformance/tests/httproute-reference-grant, -invalid-cross-namespace-backend-ref and -invalid-reference-grant. */
test('a Service of another namespace needs a grant there, from this kind and namespace, to that kind and name', () => {
  const far = [{ name: 'a', namespace: 'other', port: 80 }]
  const from = [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }]
  const to = [{ group: '', kind: 'Service' }]
  const granted = (...grants: ReturnType<typeof grant>[]) => answer(ask([front, rule(far), ...grants]))
  assert.equal(granted(), '500')
  assert.match(why(far), /no ReferenceGrant of other lets an HTTPRoute of shop refer to the Service a/)
  assert.equal(granted(grant('other/g', { from, to })), 'other/a')
  assert.equal(granted(grant('other/g', { from, to: [{ group: '', kind: 'Service', name: 'a' }] })), 'other/a')
  const wrong = [
    grant('shop/g', { from, to }),
    grant('other/g1', { from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'other' }], to }),
    grant('other/g2', { from: [{ group: 'gateway.networking.k8s.io', kind: 'GRPCRoute', namespace: 'shop' }], to }),
    grant('other/g3', { from: [{ group: '', kind: 'HTTPRoute', namespace: 'shop' }], to }),
    grant('other/g4', { from, to: [{ group: '', kind: 'Secret' }] }),
    grant('other/g5', { from, to: [{ group: '', kind: 'Service', name: 'b' }] }),
    grant('other/g6', { from, to: [{ group: 'example.org', kind: 'Service' }] }),
  ]
  for (const one of wrong) assert.equal(granted(one), '500', one.id)
  assert.equal(granted(...wrong, grant('other/g', { from, to })), 'other/a')
  // Without a grant nothing is said of whether the Service is there.
  assert.match(why([{ name: 'secret', namespace: 'other', port: 80 }]), /no ReferenceGrant/)
  // Its own namespace, written out, needs none.
  assert.equal(answer(ask([front, rule([{ name: 'a', namespace: 'shop', port: 80 }])])), 'a')
})

test('a port of another protocol is none', () => {
  const udp = new Map(services)
  const a = services.get('shop/a') ?? assert.fail()
  udp.set('shop/a', { ...a, ports: [{ port: 80, targetPort: 80, protocol: 'UDP' }] })
  const routes = (map: typeof services) =>
    compileRoutes({ resources: [front, rule([{ name: 'a', port: 80 }])], services: map, namespaceLabels: new Map() })
  assert.equal(answer(routeRequest(routes(udp), 'shop/front', 80, request())), '500')
  assert.equal(answer(routeRequest(routes(services), 'shop/front', 80, request())), 'a')
})

test('a step names the object, the rule, its line, the layer and the request', () => {
  const layered = route(
    'shop/r',
    { rules: [{}, { matches: [{ path: { value: '/a' } }], backendRefs: [{ name: 'a', port: 80 }] }] },
    { layer: '70-ingress', file: 'k8s/r.yaml' },
  )
  const line = layered.position(['spec', 'rules', 1]).line
  assert.deepEqual(ask([front, layered], { path: '/a/../a/b?c=d' }).step, {
    hop: 0,
    point: 'gateway',
    engine: 'gateway-api',
    layer: '70-ingress',
    outcome: 'allow',
    code: 'route.forwards',
    policy: 'HTTPRoute/shop/r',
    rule: 1,
    at: `k8s/r.yaml:${line}`,
    facts: { request: 'GET /a/../a/b?c=d', backend: 'shop/a:80' },
  })
  // Of several matches the one that has it.
  const matches = [{ path: { value: '/a' } }, { path: { value: '/b' } }]
  const two = route('shop/r', { rules: [{ matches, backendRefs: [{ name: 'a', port: 80 }] }] }, { file: 'r.yaml' })
  assert.equal(
    ask([front, two], { path: '/b' }).step.at,
    `r.yaml:${two.position(['spec', 'rules', 0, 'matches', 1]).line}`,
  )
})

test('what no route has is said with what there is', () => {
  const resources = [
    gateway('shop/front', [{ hostname: '*.example' }], { layer: '70-ingress', file: 'g.yaml' }),
    route('shop/r', { hostnames: ['b.example', 'a.example'], rules: [{ matches: [{ path: { value: '/a' } }] }] }),
  ]
  const line = resources[0]?.position(['spec', 'listeners', 0]).line
  const noHost = ask(resources, { host: 'x.example' })
  assert.deepEqual(noHost.step, {
    hop: 0,
    point: 'gateway',
    engine: 'gateway-api',
    layer: '70-ingress',
    outcome: 'deny',
    code: 'route.no-host',
    policy: 'Gateway/shop/front',
    at: `g.yaml:${line}`,
    facts: { gateway: 'Gateway/shop/front', host: 'x.example', has: 'a.example, b.example' },
  })
  const noMatch = ask(resources, { host: 'a.example', path: '/b', method: 'PUT' })
  assert.equal(noMatch.step.code, 'route.no-match')
  assert.deepEqual(noMatch.step.facts, { gateway: 'Gateway/shop/front', request: 'PUT /b' })
  assert.deepEqual(ask([front], { host: '' }).step.facts, {
    gateway: 'Gateway/shop/front',
    host: '(none)',
    has: 'no routes',
  })
})

test('the index is whole without a single Gateway', () => {
  const empty = index([])
  assert.equal(empty.gateways.size, 0)
  assert.deepEqual(empty.notModelled, [])
})
