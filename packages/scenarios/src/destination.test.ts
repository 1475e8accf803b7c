import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostMeant, identityMeant, podMeant, serviceHost } from './destination.js'
import { podOf, snapshotWith } from './testing/repository.js'

const snapshot = snapshotWith([])
const pods = [...snapshot.pods.values()]
const web = podOf('shop/web-api', snapshot)

test('a pod by its workload, by its own name or by its labels, the first that is given', () => {
  assert.equal(podMeant({ workload: 'shop/web-api' }, pods), web)
  assert.equal(podMeant({ workload: web.key }, pods), web)
  assert.equal(podMeant({ namespace: 'shop', labels: web.labels }, pods), web)
  const twin = { ...web, key: 'shop/web-api-twin' }
  assert.equal(podMeant({ workload: 'shop/web-api' }, [twin, ...pods]), twin)
  assert.equal(podMeant({ namespace: 'demo', labels: web.labels }, pods), undefined)
  assert.equal(podMeant({ namespace: 'shop', labels: { ...web.labels, more: 'x' } }, pods), undefined)
  assert.equal(podMeant({ workload: 'shop/nobody' }, pods), undefined)
  assert.equal(podMeant({ host: 'api.example' }, pods), undefined)
})

test('an address: of the pod, of a node, of what every cluster has; a name outside stays one', () => {
  const { nodes, platform } = snapshot
  assert.equal(hostMeant({ host: 'api.example' }, snapshot, undefined), 'api.example')
  assert.equal(hostMeant({ workload: 'shop/web-api' }, snapshot, web), web.ip)
  assert.equal(hostMeant({ ip: '203.0.113.7' }, snapshot, undefined), '203.0.113.7')
  for (const node of [...nodes, platform.controlPlane])
    assert.equal(hostMeant({ node: node.name }, snapshot, undefined), node.ip)
  for (const own of [platform.dns, platform.istiod])
    assert.equal(hostMeant({ workload: own.workload }, snapshot, undefined), own.ip)
  assert.equal(hostMeant({ node: 'nowhere' }, snapshot, undefined), undefined)
  assert.equal(hostMeant({ workload: 'shop/nobody' }, snapshot, undefined), undefined)
})

test('a Service by its name, and an identity in the trust domain of its own', () => {
  assert.equal(serviceHost('shop/web-api'), 'web-api.shop.svc.cluster.local')
  assert.equal(
    identityMeant('demo/hello', 'spiffe://example.org/ns/shop/sa/web'),
    'spiffe://example.org/ns/demo/sa/hello',
  )
  assert.equal(identityMeant('demo/hello', ''), 'spiffe://cluster.local/ns/demo/sa/hello')
  for (const half of ['web-api', '/web-api', 'shop/', '']) {
    assert.equal(serviceHost(half), undefined, half)
    assert.equal(identityMeant(half, ''), undefined, half)
  }
})
