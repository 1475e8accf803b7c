import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy } from '@bulkhead/resources'
import { type Flow, judge, outsideAddress } from '@bulkhead/verdict'
import { allowAt, gateway, route, ruleTo } from '../testing/gateway.js'
import {
  allow,
  authorizationPolicy,
  type Manifest,
  namespace,
  service,
  snapshotOf,
  workload,
} from '../testing/objects.js'
import { smallestFix } from './fix.js'

const scene = [
  namespace('a'),
  workload('a/web'),
  workload('a/other'),
  service('a/web'),
  gateway('a/gw', 'a.example'),
  route('a/r', 'gw', { rules: [ruleTo('web')] }),
]
const nothing = authorizationPolicy('a/allow-nothing', {})
const toWeb = allow('a/web', 'web', ['gw-istio'])
const atGateway = (operation: object) => allowAt('a/gw', 'gw', [{ to: [{ operation }] }])
const request = (method = 'GET', path = '/'): Flow => ({
  from: { external: outsideAddress },
  to: { service: 'a/gw-istio' },
  port: 80,
  http: { method, path, host: 'a.example' },
})
const fixOf = (flow: Flow, ...more: readonly Manifest[]) => smallestFix(flow, snapshotOf([...scene, ...more]))

test('nothing allows at the gateway: a policy of its own, with targetRefs, for this request', () => {
  const fix = fixOf(request(), nothing, toWeb)
  const [edit, ...more] = fix?.edits ?? []
  assert.equal(more.length, 0)
  assert.equal(edit?.object, 'AuthorizationPolicy/a/allow-gw')
  assert.equal(edit?.beside, 'AuthorizationPolicy/a/allow-nothing')
  const object = JSON.parse(edit?.value ?? '{}') as AuthorizationPolicy & Manifest
  assert.deepEqual(object.spec, {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }],
    action: 'ALLOW',
    rules: [{ to: [{ operation: { hosts: ['a.example'], methods: ['GET'], paths: ['/'] } }] }],
  })
  // It lists no caller: those of a gateway have no identity.
  assert.deepEqual(fix?.alsoOpens, ['a/other -> a/gw http://a.example/', 'a/web -> a/gw http://a.example/'])
  const pasted = snapshotOf([...scene, nothing, toWeb, object])
  assert.equal(judge(request(), snapshotOf([...scene, nothing, toWeb])).symptom, 'rbac-403')
  assert.equal(judge(request(), pasted).outcome, 'allow')
  assert.equal(judge(request('DELETE'), pasted).outcome, 'deny')
})

for (const [what, flow, says] of [
  ['method', request('DELETE'), 'add "DELETE" to methods of rule 0'],
  ['path', request('GET', '/orders?x=1'), 'add "/orders" to paths of rule 0'],
] as const) {
  test(`the gateway's rule lacks one ${what}: it is added there`, () => {
    const fix = fixOf(flow, nothing, toWeb, atGateway({ hosts: ['a.example'], methods: ['GET'], paths: ['/'] }))
    assert.deepEqual(
      fix?.edits.map((edit) => [edit.object, edit.says]),
      [['AuthorizationPolicy/a/gw', says]],
    )
  })
}

test('it lacks two: a rule of its own', () => {
  const fix = fixOf(request('PUT', '/x'), toWeb, atGateway({ hosts: ['a.example'], methods: ['GET'], paths: ['/'] }))
  assert.deepEqual(
    fix?.edits.map(({ object, says }) => [object, says]),
    [
      [
        'AuthorizationPolicy/a/gw',
        'add a rule: {to: [{operation: {hosts: ["a.example"], methods: ["PUT"], paths: ["/x"]}}]}',
      ],
    ],
  )
})

test('a 503: the gateway is let in by the policy behind it', () => {
  const objects = [nothing, atGateway({ methods: ['GET'] }), allow('a/web', 'web', ['other'])]
  assert.equal(judge(request(), snapshotOf([...scene, ...objects])).symptom, 'gateway-503')
  const fix = fixOf(request(), ...objects)
  assert.deepEqual(
    fix?.edits.map(({ object, says }) => [object, says]),
    [['AuthorizationPolicy/a/web', 'add "cluster.local/ns/a/sa/gw-istio" to principals of rule 0']],
  )
})

test('walls in both places: both are said, in the order of the way', () => {
  const fix = fixOf(request(), nothing)
  assert.deepEqual(
    fix?.edits.map(({ object }) => object),
    ['AuthorizationPolicy/a/allow-gw', 'AuthorizationPolicy/a/allow-web'],
  )
})

test('what no policy decides has no fix: a host that no route has', () => {
  const strange: Flow = { ...request(), http: { method: 'GET', path: '/', host: 'b.example' } }
  assert.equal(judge(strange, snapshotOf([...scene, toWeb])).symptom, 'gateway-404')
  assert.equal(fixOf(strange, toWeb), undefined)
  assert.equal(fixOf(strange, toWeb, nothing), undefined)
})
