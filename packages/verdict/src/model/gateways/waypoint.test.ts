import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gateway, Resource } from '@bulkhead/resources'
import { ambient, gateway, resource, service, waypoint, workload } from '../../testing/objects.js'
import { compile } from '../compile.js'

/* What istiod makes of a Gateway of class istio-waypoint (semantics C.7; its template waypoint.yaml). */

const listeners = [{ name: 'mesh', port: 15008, protocol: 'HBONE' }]
const made = (spec: Partial<Gateway['spec']> = {}, options: Parameters<typeof gateway>[2] = {}, ...more: Resource[]) =>
  compile([
    ambient('app'),
    gateway('app/wp', { gatewayClassName: 'istio-waypoint', listeners, ...spec }, options),
    ...more,
  ])

test('Deployment, Service and ServiceAccount are called as the Gateway; the pod is not captured and speaks as itself', () => {
  const snapshot = made()
  const [pod, ...more] = [...snapshot.pods.values()]
  assert.ok(pod)
  assert.equal(more.length, 0)
  assert.deepEqual(
    [pod.workload, pod.serviceAccount, pod.identity, pod.mesh, pod.waypoint, pod.gateway],
    ['app/wp', 'wp', 'spiffe://cluster.local/ns/app/sa/wp', false, 'app/wp', undefined],
  )
  assert.deepEqual(
    ['gateway.networking.k8s.io/gateway-name', 'istio.io/dataplane-mode', 'gateway.istio.io/managed'].map(
      (name) => pod.labels[name],
    ),
    ['wp', 'none', 'istio.io-mesh-controller'],
  )
  assert.deepEqual(
    pod.ports.map(({ port }) => port),
    [15008, 15020, 15021, 15090],
  )
  const of = snapshot.services.get('app/wp')
  assert.deepEqual([of?.external, of?.ports.map(({ port }) => port), of?.endpoints], [false, [15021, 15008], [pod.key]])
  assert.deepEqual(snapshot.waypoints.get('app/wp'), {
    key: 'app/wp',
    id: 'Gateway/app/wp',
    at: 'wp.yaml:1',
    workload: 'app/wp',
    serves: 'service',
  })
  assert.equal(snapshot.gateways.size, 0)
  assert.deepEqual(snapshot.notModelled, [])
})

test('overlays and annotations say otherwise, as for gateways', () => {
  const parametersRef = { group: '', kind: 'ConfigMap', name: 'overlay' }
  const overlay = resource({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'overlay', namespace: 'app' },
    data: { deployment: 'spec: {replicas: 2}' },
  })
  const annotations = { 'gateway.istio.io/name-override': 'other', 'gateway.istio.io/service-account': 'account' }
  const snapshot = made({ infrastructure: { parametersRef } }, { annotations }, overlay)
  const pods = [...snapshot.pods.values()]
  assert.deepEqual(
    pods.map(({ workload: name, serviceAccount, waypoint: key }) => [name, serviceAccount, key]),
    [
      ['app/other', 'account', 'app/wp'],
      ['app/other', 'account', 'app/wp'],
    ],
  )
})

test('a class of one’s own that istiod’s mesh controller answers for is one, and its label says whom it serves', () => {
  const own = (controllerName: string) =>
    resource({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'ours', labels: { 'istio.io/waypoint-for': 'all' } },
      spec: { controllerName },
    })
  const of = (controllerName: string) =>
    made({ gatewayClassName: 'ours' }, {}, own(controllerName)).waypoints.get('app/wp')
  assert.equal(of('istio.io/mesh-controller')?.serves, 'all')
  assert.equal(of('example.org/other'), undefined)
})

test('a name that is taken is told where the Gateway is', () => {
  for (const clash of [workload('app/wp'), service('app/wp')]) {
    assert.throws(
      () => compile([waypoint('app/wp'), clash]),
      /^CompileError: wp\.yaml:\d+: Gateway\/app\/wp: istiod makes /,
    )
  }
})
