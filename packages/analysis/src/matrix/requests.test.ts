import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '@bulkhead/verdict'
import { gateway, route, ruleTo } from '../testing/gateway.js'
import { type Manifest, namespace, service, snapshotOf, workload } from '../testing/objects.js'
import { matrix } from './matrix.js'

const behind = [namespace('a'), workload('a/web'), workload('a/other'), service('a/web'), service('a/other')]

/** What is asked of the gateways, from outside: the question, and what became of it. */
function asked(...objects: readonly Manifest[]): readonly (readonly string[])[] {
  const snapshot = snapshotOf([...behind, ...objects])
  return matrix(snapshot)
    .cells.filter(({ from, flow }) => from === 'outside' && flow.http !== undefined)
    .map(({ to, flow, verdict }) => {
      assert.deepEqual(verdict, judge(flow, snapshot))
      const taken = verdict.steps.find(({ code }) => code.startsWith('route.'))
      const by = taken?.rule === undefined ? [] : [`${taken.policy?.split('/').at(-1)} ${taken.rule}`]
      return [to, verdict.symptom, ...by]
    })
}

test('each rule has a request that it takes, and there is one for a host that no route has', () => {
  const rules = [
    ruleTo('web', { path: { type: 'Exact', value: '/exact' } }),
    ruleTo('web', { path: { type: 'RegularExpression', value: '/orders/[0-9]+' } }),
    ruleTo('web', { path: { value: '/api' }, method: 'POST' }),
    ruleTo('web', {
      headers: [
        { name: 'X-User', value: 'admin' },
        { name: 'x-tier', type: 'RegularExpression', value: 'gold|silver' },
      ],
      queryParams: [{ name: 'a', value: 'c/d' }],
    }),
    ruleTo('web'),
  ]
  assert.deepEqual(asked(gateway('a/gw', 'a.example'), route('a/r', 'gw', { rules })), [
    ['a/gw http://a.example/exact', 'ok', 'r 0'],
    ['a/gw http://a.example/orders/0', 'ok', 'r 1'],
    ['a/gw POST http://a.example/api', 'ok', 'r 2'],
    ['a/gw http://a.example/?a=c/d x-user: admin x-tier: gold', 'ok', 'r 3'],
    ['a/gw http://a.example/', 'ok', 'r 4'],
    ['a/gw http://no-route.invalid/', 'gateway-404'],
  ])
})

test('where the first match of a rule goes elsewhere, another one of it is asked', () => {
  const rules = [
    ruleTo('web', { path: { type: 'Exact', value: '/' } }),
    ruleTo('other', { path: { type: 'Exact', value: '/' } }, { path: { type: 'Exact', value: '/other' } }),
  ]
  assert.deepEqual(asked(gateway('a/gw', 'a.example'), route('a/r', 'gw', { rules })).slice(0, 2), [
    ['a/gw http://a.example/', 'ok', 'r 0'],
    ['a/gw http://a.example/other', 'ok', 'r 1'],
  ])
})

test('host names: of the route within those of the listener, and a name for every pattern', () => {
  const rules = [ruleTo('web')]
  const hosts = (hostname: string | undefined, ...hostnames: readonly string[]) =>
    asked(gateway('a/gw', hostname), route('a/r', 'gw', { rules, ...(hostnames.length > 0 && { hostnames }) })).map(
      ([to = '', symptom]) => `${to.slice('a/gw http://'.length)} ${symptom}`,
    )
  const strange = 'no-route.invalid/ gateway-404'
  assert.deepEqual(hosts('*.example', 'a.example', 'b.example'), ['a.example/ ok', 'b.example/ ok', strange])
  assert.deepEqual(hosts('a.example', '*.example'), ['a.example/ ok', strange])
  assert.deepEqual(hosts('*.example', '*.b.example'), ['any.b.example/ ok', strange])
  assert.deepEqual(hosts(undefined, 'a.example', 'a.other'), ['a.example/ ok', 'a.other/ ok', strange])
  // A gateway for every host has no strange one.
  assert.deepEqual(hosts(undefined), ['any.example/ ok'])
  // A route that has no host of the listener's is none of its.
  assert.deepEqual(hosts('a.example', 'b.example'), [strange])
})

test('a route that may not attach, as one of another namespace, is none of the gateway’s', () => {
  const stranger = route('b/r', 'gw', { rules: [ruleTo('web')] })
  const spec = { ...(stranger.spec as object), parentRefs: [{ name: 'gw', namespace: 'a' }] }
  assert.deepEqual(asked(namespace('b'), gateway('a/gw', 'a.example'), { ...stranger, spec }), [
    ['a/gw http://no-route.invalid/', 'gateway-404'],
  ])
})

test('a route without rules has nowhere to send a request; a listener elsewhere says its port', () => {
  assert.deepEqual(asked(gateway('a/gw', 'a.example', 8080), route('a/r', 'gw')), [
    ['a/gw http://a.example:8080/', 'gateway-500', 'r 0'],
    ['a/gw http://no-route.invalid:8080/', 'gateway-404'],
  ])
})

test('a gateway’s own Service and pods are asked as requests, and it is a caller as well', () => {
  const { sources, destinations, cells } = matrix(
    snapshotOf([...behind, gateway('a/gw', 'a.example'), route('a/r', 'gw', { rules: [ruleTo('web')] })]),
  )
  assert.ok(sources.includes('a/gw-istio'))
  assert.deepEqual(
    destinations.filter((name) => name.includes('gw')),
    ['a/gw http://a.example/', 'a/gw http://no-route.invalid/'],
  )
  assert.ok(cells.every(({ from, to }) => !(from === 'a/gw-istio' && to.startsWith('a/gw '))))
  assert.equal(cells.find(({ key }) => key === 'a/gw-istio -> a/web:80')?.verdict.outcome, 'allow')
})
