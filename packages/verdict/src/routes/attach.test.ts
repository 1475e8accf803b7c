import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gateway } from '@bulkhead/resources'
import { resource } from '../testing/objects.js'
import { answer, ask, gateway, index, type RouteSpec, request, route, to } from '../testing/routes.js'
import { routeRequest } from './route.js'

type ParentRef = NonNullable<RouteSpec['parentRefs']>[number]
type Listener = Partial<Gateway['spec']['listeners'][number]>

const at = (ref: Partial<ParentRef>) => route('shop/r', { parentRefs: [{ name: 'front', ...ref }], rules: [to('a')] })

test('a parentRef names a Gateway by group, kind, namespace and name, and of it all listeners or some', () => {
  const front = gateway('shop/front', [{}, { name: 'alt', port: 8080 }])
  const table: [ref: Partial<ParentRef>, port80: string, port8080: string][] = [
    [{}, 'a', 'a'],
    [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop' }, 'a', 'a'],
    [{ sectionName: 'http' }, 'a', '404'],
    [{ sectionName: 'alt' }, '404', 'a'],
    [{ port: 80 }, 'a', '404'],
    [{ port: 8080 }, '404', 'a'],
    [{ sectionName: 'alt', port: 8080 }, '404', 'a'],
    [{ sectionName: 'alt', port: 80 }, '404', '404'],
    [{ sectionName: 'none' }, '404', '404'],
    [{ name: 'other' }, '404', '404'],
    [{ namespace: 'other' }, '404', '404'],
    [{ group: '', kind: 'Service' }, '404', '404'],
    [{ group: 'example.org' }, '404', '404'],
    [{ kind: 'ListenerSet' }, '404', '404'],
  ]
  for (const [ref, port80, port8080] of table) {
    assert.equal(answer(ask([front, at(ref)])), port80, JSON.stringify(ref))
    assert.equal(answer(ask([front, at(ref)], {}, 8080)), port8080, JSON.stringify(ref))
  }
})

test('a route without a parent, and a port without a listener, have nothing', () => {
  assert.equal(answer(ask([gateway('shop/front'), route('shop/r', { parentRefs: [], rules: [to('a')] })])), '404')
  assert.equal(answer(ask([gateway('shop/front'), at({})], {}, 81)), '404')
  const routes = index([gateway('shop/front'), at({})])
  assert.equal(answer(routeRequest(routes, 'shop/none', 80, request())), '404')
  assert.equal(answer(routeRequest(routes, 'shop/front', 80, request())), 'a')
})

/* As conformance/tests/httproute-cross-namespace, -invalid-cross-namespace-parent-ref and gateway tests of allowedRoutes. */
test('a listener lets in routes of its own namespace, of all, or of those that a selector selects', () => {
  const labels = { shop: { team: 'x' }, other: { team: 'y', 'kubernetes.io/metadata.name': 'other' } }
  const elsewhere = route('other/r', {
    parentRefs: [{ name: 'front', namespace: 'shop' }],
    rules: [to('a', { backendRefs: [{ name: 'a', port: 80 }] })],
  })
  const table: [namespaces: NonNullable<NonNullable<Listener['allowedRoutes']>['namespaces']> | undefined, string][] = [
    [undefined, '404'],
    [{}, '404'],
    [{ from: 'Same' }, '404'],
    [{ from: 'All' }, 'other/a'],
    [{ from: 'Selector', selector: { matchLabels: { team: 'y' } } }, 'other/a'],
    [{ from: 'Selector', selector: { matchLabels: { team: 'x' } } }, '404'],
    [{ from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': 'other' } } }, 'other/a'],
    [
      { from: 'Selector', selector: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['x'] }] } },
      'other/a',
    ],
    // Istio's own: a selector that is missing selects all.
    [{ from: 'Selector' }, 'other/a'],
    [{ from: 'Same', selector: { matchLabels: { team: 'y' } } }, '404'],
  ]
  for (const [namespaces, expected] of table) {
    const front = gateway('shop/front', [namespaces === undefined ? {} : { allowedRoutes: { namespaces } }])
    const routes = index([front, elsewhere], labels)
    assert.equal(answer(routeRequest(routes, 'shop/front', 80, request())), expected, JSON.stringify(namespaces))
  }
})

/* As conformance/tests/httproute-disallowed-kind. */
test('a listener that lists kinds lets in no other', () => {
  const kinds = (...list: { kind: string; group?: string }[]) =>
    gateway('shop/front', [{ allowedRoutes: { kinds: list } }])
  assert.equal(answer(ask([kinds({ kind: 'HTTPRoute' }), at({})])), 'a')
  assert.equal(answer(ask([kinds({ kind: 'TLSRoute' }), at({})])), '404')
  assert.equal(answer(ask([kinds({ kind: 'TLSRoute' }, { kind: 'HTTPRoute' }), at({})])), 'a')
  assert.equal(answer(ask([kinds({ kind: 'HTTPRoute', group: 'example.org' }), at({})])), '404')
})

test('a listener that speaks no plain HTTP is not modelled, and takes nothing of its neighbour', () => {
  const listeners: Listener[] = [
    {},
    { name: 'https', port: 443, protocol: 'HTTPS' },
    { name: 'tcp', port: 9000, protocol: 'TCP' },
  ]
  const resources = [gateway('shop/front', listeners), at({})]
  assert.equal(answer(ask(resources)), 'a')
  const decision = ask(resources, {}, 443)
  assert.equal(decision.kind, 'unknown')
  assert.match(String(decision.step.facts?.what), /HTTPS of the listener https of Gateway\/shop\/front/)
  assert.equal(answer(ask(resources, {}, 9000)), 'unknown')
})

test('a GRPCRoute at a host leaves that host unknown, and no other', () => {
  const grpc = (spec: object) =>
    resource({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GRPCRoute',
      metadata: { namespace: 'shop', name: 'g' },
      spec,
    } as Parameters<typeof resource>[0])
  const both = (spec: object) => [gateway('shop/front'), at({}), grpc(spec)]
  const mine = { parentRefs: [{ name: 'front' }], hostnames: ['grpc.example'] }
  assert.equal(answer(ask(both(mine), { host: 'grpc.example' })), 'unknown')
  assert.equal(answer(ask(both(mine), { host: 'shop.example' })), 'a')
  assert.equal(answer(ask(both({ ...mine, parentRefs: [{ name: 'other' }] }), { host: 'grpc.example' })), 'a')
  // Nothing is sure of a kind without a schema.
  assert.equal(answer(ask(both({ parentRefs: 7 }))), 'unknown')
})

test('listeners are told with the hosts that routes answer for', () => {
  const { listeners } = index([
    gateway('shop/front', [{ hostname: '*.example' }, { name: 'all', port: 8080 }, { name: 'none', port: 81 }]),
    route('shop/r', {
      parentRefs: [{ name: 'front', sectionName: 'http' }],
      hostnames: ['b.example', 'a.example', 'c.org'],
    }),
    route('shop/s', { parentRefs: [{ name: 'front', sectionName: 'all' }] }),
  ])
  assert.deepEqual(
    listeners('shop/front').map(({ name, port, hostname, hosts }) => ({ name, port, hostname, hosts })),
    [
      { name: 'http', port: 80, hostname: '*.example', hosts: ['a.example', 'b.example'] },
      { name: 'all', port: 8080, hostname: undefined, hosts: ['*'] },
      { name: 'none', port: 81, hostname: undefined, hosts: [] },
    ],
  )
  assert.deepEqual(listeners('shop/none'), [])
})
