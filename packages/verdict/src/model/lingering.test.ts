import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { judgeAt } from '../points/judge-at.js'
import { ambient, authorizationPolicy, service, workload } from '../testing/objects.js'
import { compile } from './compile.js'

/*
 * A workload is rolled: its old pod stays until the new one is ready.
 */

const source = workload('app/src')
const base: readonly Resource[] = [ambient('app'), source, service('app/web', { port: 80, targetPort: 8080 })]
const version = (value: string): Resource =>
  workload('app/web', { labels: { app: 'web', version: value }, ports: [{ containerPort: 8080 }] })

const before = compile([...base, version('v1')])
const old = [...before.pods.values()].filter(({ workload: of }) => of === 'app/web')
const [oldPod] = old
assert.ok(oldPod)

test('a lingering pod keeps everything, beside the new one, behind the Service of both', () => {
  const during = compile([...base, version('v2')], { previous: before, lingering: old })
  assert.equal(during.pods.get(oldPod.key), oldPod)
  assert.equal(during.podByIp(oldPod.ip), oldPod)
  const pods = [...during.pods.values()].filter(({ workload: of }) => of === 'app/web')
  assert.equal(pods.length, 2)
  assert.equal(new Set(pods.map(({ ip }) => ip)).size, 2, 'addresses are not shared')
  assert.deepEqual(during.services.get('app/web')?.endpoints, pods.map(({ key }) => key).sort())
})

test('without lingering the old pod is gone, and may give its address away', () => {
  const after = compile([...base, version('v2')], { previous: before })
  assert.equal(after.pods.has(oldPod.key), false)
  assert.equal(after.services.get('app/web')?.endpoints.length, 1)
})

test('it stands behind the Services whose selector selects it, and no other', () => {
  const narrow = service('app/web', { port: 80, targetPort: 8080, selector: { app: 'web', version: 'v2' } })
  const resources = [ambient('app'), source, narrow, version('v2')]
  const during = compile(resources, { previous: before, lingering: old })
  assert.equal(during.services.get('app/web')?.endpoints.includes(oldPod.key), false)
})

test('policies hold for it by its own labels, and new ones too', () => {
  const closed = authorizationPolicy('app/v1-closed', { selector: { matchLabels: { version: 'v1' } } })
  const during = compile([...base, version('v2'), closed], { previous: before, lingering: old })
  const identity = 'spiffe://cluster.local/ns/app/sa/src'
  const ask = (destination: typeof oldPod): string =>
    judgeAt('ztunnel', { destination, port: 8080, peer: { ip: '10.244.1.9', identity } }, during).outcome
  assert.equal(ask(oldPod), 'deny')
  const young = [...during.pods.values()].find((pod) => pod.labels.version === 'v2')
  assert.ok(young)
  assert.equal(ask(young), 'allow')
})

test('when its workload is gone altogether it lingers all the same, and can be named', () => {
  const during = compile(base, { previous: before, lingering: old })
  const flow = { from: { workload: 'app/src' }, to: { workload: 'app/web' }, port: 8080 }
  assert.equal(judge(flow, during).hops[0]?.tuple.dst, oldPod.ip)
  assert.equal(judge({ ...flow, to: { service: 'app/web' }, port: 80 }, during).outcome, 'allow')
})

test('a pod that is asked for again does not linger: there is one of it, as it is now', () => {
  const stateful = (value: string): Resource =>
    workload('app/db', { kind: 'StatefulSet', labels: { app: 'db', version: value } })
  const first = compile([...base, stateful('v1')])
  const pods = [...first.pods.values()].filter(({ workload: of }) => of === 'app/db')
  const second = compile([...base, stateful('v2')], { previous: first, lingering: pods })
  assert.equal(second.pods.get('app/db-0')?.labels.version, 'v2')
  assert.equal(second.pods.get('app/db-0')?.ip, pods[0]?.ip, 'it keeps its address')
})
