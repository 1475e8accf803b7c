import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy } from '@bulkhead/resources'
import { type Flow, judge } from '@bulkhead/verdict'
import { allow, type Manifest, namespace, service, snapshotOf, workload } from '../testing/objects.js'
import { smallestFix } from './fix.js'

const behind = (key: string): Manifest => {
  const one = service(key)
  return { ...one, metadata: { ...one.metadata, labels: { 'istio.io/use-waypoint': 'wp' } } }
}
const waypoint: Manifest = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'wp', namespace: 'a' },
  spec: { gatewayClassName: 'istio-waypoint', listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }] },
}
const attached = (name: string, target: object, rules?: readonly object[]): Manifest => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name, namespace: 'a' },
  spec: { targetRefs: [target], ...(rules !== undefined && { rules }) },
})
const onWaypoint = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'wp' }
const onWeb = { group: '', kind: 'Service', name: 'web' }
const scene = [namespace('a'), workload('a/web'), workload('a/other'), behind('a/web'), waypoint]
const request = (method = 'GET', path = '/'): Flow => ({
  from: { workload: 'a/other' },
  to: { service: 'a/web' },
  port: 80,
  http: { method, path },
})
const principals = ['cluster.local/ns/a/sa/other']
const fixOf = (flow: Flow, ...more: readonly Manifest[]) => smallestFix(flow, snapshotOf([...scene, ...more]))

test('nothing allows at the waypoint: a policy of its own, with targetRefs to the Service, for this caller and request', () => {
  const closed = attached('closed', onWaypoint)
  const fix = fixOf(request('GET', '/orders?x=1'), closed)
  const [edit, ...more] = fix?.edits ?? []
  assert.equal(more.length, 0)
  assert.equal(edit?.object, 'AuthorizationPolicy/a/allow-at-web')
  const object = JSON.parse(edit?.value ?? '{}') as AuthorizationPolicy & Manifest
  assert.deepEqual(object.spec, {
    targetRefs: [onWeb],
    action: 'ALLOW',
    rules: [{ from: [{ source: { principals } }], to: [{ operation: { methods: ['GET'], paths: ['/orders'] } }] }],
  })
  const pasted = snapshotOf([...scene, closed, object])
  assert.equal(judge(request('GET', '/orders'), pasted).outcome, 'allow')
  assert.equal(judge(request('DELETE', '/orders'), pasted).symptom, 'rbac-403')
})

test('the rule at the waypoint lacks one method: it is added there', () => {
  const reading = attached('reading', onWeb, [
    { from: [{ source: { principals } }], to: [{ operation: { methods: ['GET'] } }] },
  ])
  assert.deepEqual(
    fixOf(request('DELETE'), reading)?.edits.map((edit) => [edit.object, edit.says]),
    [['AuthorizationPolicy/a/reading', 'add "DELETE" to methods of rule 0']],
  )
})

test('the pod behind it lets in the caller and not the waypoint: the waypoint is added there', () => {
  const callers = allow('a/web', 'web', ['other'])
  assert.deepEqual(
    fixOf(request(), callers)?.edits.map((edit) => [edit.object, edit.says]),
    [['AuthorizationPolicy/a/web', 'add "cluster.local/ns/a/sa/wp" to principals of rule 0']],
  )
})

test('a method more would let others make the request too: a rule for this caller is the smaller change', () => {
  const more = [workload('a/third')]
  const reading = attached('reading', onWeb, [
    { from: [{ source: { namespaces: ['a'] } }], to: [{ operation: { methods: ['GET'] } }] },
  ])
  const fix = smallestFix(request('DELETE', '/orders'), snapshotOf([...scene, ...more, reading]))
  assert.match(fix?.edits[0]?.says ?? '', /^add a rule: .*sa\/other.*DELETE/)
  assert.deepEqual(fix?.alsoOpens, [])
})
