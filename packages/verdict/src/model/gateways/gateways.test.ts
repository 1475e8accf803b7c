import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigMap, Gateway, GatewayClass, Resource } from '@bulkhead/resources'
import type { Snapshot } from '../../api.js'
import {
  ambient,
  type GatewayOptions,
  gateway,
  httpRoute,
  namespace,
  resource,
  service,
  workload,
} from '../../testing/objects.js'
import type { Pod } from '../../types.js'
import { compile } from '../compile.js'
import { CompileError } from '../compile-error.js'
import { gatewayObjects } from './gateways.js'

/*
 * What istiod makes of Gateways (semantics C.1, C.7, F.3; the template kube-gateway.yaml and the tests of istiod's gateway
 * deployment controller).
 */

const base = [ambient('app'), workload('app/dst', { ports: [{ containerPort: 8080 }] }), service('app/dst')]

function made(
  spec: Partial<Gateway['spec']> = {},
  options: GatewayOptions = {},
  ...more: readonly Resource[]
): Snapshot {
  return compile([...base, gateway('app/gw', spec, options), ...more])
}

function podOf(snapshot: Snapshot, workloadKey = 'app/gw-istio'): Pod {
  const pods = [...snapshot.pods.values()].filter((pod) => pod.workload === workloadKey)
  assert.equal(pods.length, 1, `one pod of ${workloadKey}`)
  return pods[0] as Pod
}

function configMap(data: Readonly<Record<string, string>>, name = 'overlay'): Resource {
  return resource<ConfigMap>({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'app' }, data })
}

const parametersRef = { group: '', kind: 'ConfigMap', name: 'overlay' }

test('a Gateway becomes a pod and a Service, both called <name>-istio, with an identity of that name', () => {
  const snapshot = made()
  const pod = podOf(snapshot)
  assert.match(pod.name, /^gw-istio-[a-z0-9]+-[a-z0-9]{5}$/)
  assert.equal(pod.gateway, 'app/gw')
  assert.equal(pod.identity, 'spiffe://cluster.local/ns/app/sa/gw-istio')
  assert.equal(pod.mesh, false, 'in a namespace that is captured')
  assert.deepEqual(
    pod.ports.map(({ port }) => port),
    [80, 15020, 15021, 15090],
  )
  const { 'pod-template-hash': hash, ...labels } = pod.labels
  assert.ok(hash)
  assert.deepEqual(labels, {
    'sidecar.istio.io/inject': 'false',
    'service.istio.io/canonical-name': 'gw-istio',
    'service.istio.io/canonical-revision': 'latest',
    'istio.io/dataplane-mode': 'none',
    'gateway.networking.k8s.io/gateway-name': 'gw',
    'gateway.networking.k8s.io/gateway-class-name': 'istio',
    'gateway.istio.io/managed': 'istio.io-gateway-controller',
  })
  const of = snapshot.services.get('app/gw-istio')
  assert.equal(of?.external, true, 'LoadBalancer by default')
  assert.deepEqual(of?.endpoints, [pod.key])
  assert.deepEqual(
    of?.ports.map(({ name, port, targetPort }) => [name, port, targetPort]),
    [
      ['status-port', 15021, 15021],
      ['http', 80, 80],
    ],
  )
  const model = snapshot.gateways.get('app/gw')
  assert.deepEqual(
    [model?.key, model?.id, model?.at, model?.workload],
    ['app/gw', 'Gateway/app/gw', 'gw.yaml:1', 'app/gw-istio'],
  )
  assert.deepEqual(
    model?.listeners.map(({ name, port }) => [name, port]),
    [['http', 80]],
  )
})

test('several listeners on one port are one port; its first listener names it', () => {
  const listeners = [
    { name: 'a', port: 80, protocol: 'HTTP', hostname: 'a.example' },
    { name: 'b', port: 80, protocol: 'HTTP', hostname: 'b.example' },
    { name: 'c', port: 8080, protocol: 'HTTP' },
  ]
  const of = made({ listeners }).services.get('app/gw-istio')
  assert.deepEqual(
    of?.ports.map(({ name, port }) => `${name} ${port}`),
    ['status-port 15021', 'a 80', 'c 8080'],
  )
})

test('annotations override the names and the Service’s type', () => {
  const annotations = {
    'gateway.istio.io/name-override': 'door',
    'gateway.istio.io/service-account': 'porter',
    'networking.istio.io/service-type': 'ClusterIP',
  }
  const snapshot = made({}, { annotations })
  assert.equal(podOf(snapshot, 'app/door').identity, 'spiffe://cluster.local/ns/app/sa/porter')
  assert.equal(snapshot.services.get('app/door')?.external, false)
  assert.equal(snapshot.services.has('app/gw-istio'), false)
  assert.equal(snapshot.gateways.get('app/gw')?.workload, 'app/door')
})

test('the parametersRef lays over the Service: ports merge by their number, the rest by name', () => {
  const overlay = configMap({
    service: 'spec:\n  type: NodePort\n  ports:\n  - port: 80\n    nodePort: 30080\n  - { port: 443, name: tls }\n',
    deployment: 'spec:\n  replicas: 2\n',
  })
  const snapshot = made({ infrastructure: { parametersRef } }, {}, overlay)
  const of = snapshot.services.get('app/gw-istio')
  assert.deepEqual(
    of?.ports.map(({ name, port, nodePort }) => [name, port, nodePort]),
    [
      ['status-port', 15021, undefined],
      ['http', 80, 30080],
      ['tls', 443, undefined],
    ],
  )
  assert.equal(of?.endpoints.length, 2, 'the Deployment has its overlay too')
})

test('infrastructure labels and annotations are the pod’s; without any, the Gateway’s own are', () => {
  const own = { labels: { team: 'blue', 'istio.io/dataplane-mode': 'none' } }
  assert.equal(podOf(made({}, own)).labels.team, 'blue')
  const labels = { tier: 'front', 'gateway.networking.k8s.io/gateway-name': 'other' }
  const pod = podOf(made({ infrastructure: { labels } }, { labels: { team: 'blue' } }))
  assert.deepEqual(
    [pod.labels.tier, pod.labels.team, pod.labels['gateway.networking.k8s.io/gateway-name'], pod.mesh],
    ['front', undefined, 'gw', false],
  )
  assert.notEqual(pod.name, podOf(made()).name, 'another template, another pod')
})

test('a class of istiod’s under another name is modelled, and named after it', () => {
  const gatewayClass = (name: string, controllerName: string): Resource =>
    resource<GatewayClass>({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name },
      spec: { controllerName },
    })
  const theirs = made({ gatewayClassName: 'front' }, {}, gatewayClass('front', 'istio.io/gateway-controller'))
  assert.equal(podOf(theirs, 'app/gw-front').serviceAccount, 'gw-front')
  const taken = made({}, {}, gatewayClass('istio', 'example.org/other'))
  assert.deepEqual([...taken.gateways.keys()], [])
})

test('what stays unmodelled is named and makes no pod', () => {
  const gatewayLabels = { 'istio.io/dataplane-mode': 'ambient' }
  const rows: [string, Snapshot][] = [
    ['a gateway of class cilium', made({ gatewayClassName: 'cilium' })],
    ['a gateway of class istio-remote', made({ gatewayClassName: 'istio-remote' })],
    ['a gateway with a deployment of its own', made({ addresses: [{ type: 'Hostname', value: 'gw.app.svc' }] })],
    ['a gateway whose own traffic is captured by ztunnel', made({}, { labels: gatewayLabels })],
    ['a gateway with a sidecar', made({ infrastructure: { labels: { 'sidecar.istio.io/inject': 'true' } } })],
  ]
  for (const [what, snapshot] of rows) {
    assert.deepEqual(
      snapshot.notModelled.map((found) => [found.id, found.what]),
      [['Gateway/app/gw', what]],
    )
    assert.equal(
      [...snapshot.pods.values()].some((pod) => pod.gateway !== undefined),
      false,
      what,
    )
    assert.equal(snapshot.gateways.size, 0, what)
  }
})

test('an address of the load balancer’s is no deployment of one’s own', () => {
  assert.ok(podOf(made({ addresses: [{ type: 'IPAddress', value: '192.0.2.1' }] })))
  assert.ok(podOf(made({ addresses: [{ value: '192.0.2.1' }] })))
})

test('nothing is unknown of a Gateway and an HTTPRoute that are modelled', () => {
  const snapshot = made({}, {}, httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] }))
  assert.deepEqual(snapshot.notModelled, [])
})

test('a Gateway moves no pod and no Service of others, and keeps its own address', () => {
  const without = compile(base)
  const snapshot = made()
  for (const [key, pod] of without.pods) assert.deepEqual(snapshot.pods.get(key), pod)
  for (const [key, one] of without.services) assert.deepEqual(snapshot.services.get(key), one)
  const more = [namespace('a'), workload('app/new', { replicas: 3 }), ...base]
  const later = compile([...more, gateway('app/gw')], { previous: snapshot })
  assert.deepEqual(podOf(later), podOf(snapshot))
  assert.equal(later.services.get('app/gw-istio')?.clusterIP, snapshot.services.get('app/gw-istio')?.clusterIP)
})

test('another port of a listener renames no pod: the template does not say it', () => {
  const listeners = [{ name: 'http', port: 8080, protocol: 'HTTP' }]
  assert.equal(podOf(made({ listeners })).name, podOf(made()).name)
})

test('what istiod would make nothing of is an error with its place', () => {
  const withOverlay =
    (data: Readonly<Record<string, string>>): (() => Snapshot) =>
    () =>
      made({ infrastructure: { parametersRef } }, {}, configMap(data))
  // Nine lists of nine of the last one: a few lines that would be gigabytes.
  const aliases = Array.from({ length: 9 }, (_, i) =>
    i === 0 ? 'a0: &a0 x' : `a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`,
  ).join('\n')
  const rows: [() => unknown, RegExp][] = [
    [
      () => made({ infrastructure: { parametersRef } }),
      /^gw\.yaml:\d+: Gateway\/app\/gw: there is no ConfigMap "app\/overlay"; istiod runs no gateway without it$/,
    ],
    [
      () => made({ infrastructure: { parametersRef: { ...parametersRef, group: 'x.io', kind: 'Params' } } }),
      /parametersRef is to a "x\.io\/Params"; istiod takes a ConfigMap/,
    ],
    [
      withOverlay({ services: '{}' }),
      /^overlay\.yaml:\d+: .* "services" is no overlay of a gateway \(deployment, service,/,
    ],
    [withOverlay({ service: 'spec: [' }), /^overlay\.yaml:\d+: .* the overlay "service" of a gateway cannot be read:/],
    [withOverlay({ service: '['.repeat(20_000) }), /the overlay "service" of a gateway cannot be read:/],
    [withOverlay({ service: aliases }), /the overlay "service" of a gateway cannot be read: Excessive alias count/],
    [withOverlay({ service: 'a: 1\n---\nb: 2\n' }), /the overlay "service" of a gateway cannot be read:/],
    [withOverlay({ service: '- 1' }), /the overlay "service" of a gateway must be one object$/],
    [
      withOverlay({ service: 'spec: {type: Pinned}' }),
      /^overlay\.yaml:\d+: .*"Pinned" is no type of a gateway's Service/,
    ],
    [
      withOverlay({ service: 'spec: {ports: [{port: 80, nodePort: 99999}]}' }),
      /a nodePort of the gateway's Service is 99999; it must be a whole number from 1 to 65535$/,
    ],
    [
      () => made({}, { annotations: { 'networking.istio.io/service-type': 'Node' } }),
      /"Node" is no type of a gateway's Service \(ClusterIP, NodePort, LoadBalancer\)$/,
    ],
  ]
  for (const [make, message] of rows) {
    assert.throws(make, (error) => {
      assert.ok(error instanceof CompileError, String(error))
      assert.match(error.message, message)
      return true
    })
  }
})

test('a generated name that is taken is an error that names both', () => {
  for (const taken of [service('app/gw-istio'), workload('app/gw-istio')]) {
    assert.throws(
      () => made({}, {}, taken),
      (error) =>
        error instanceof CompileError &&
        error.message.includes(taken.id) &&
        /gw\.yaml:.*gw-istio\.yaml:1/.test(error.message),
      taken.id,
    )
  }
  const twin = gateway('app/other', {}, { annotations: { 'gateway.istio.io/name-override': 'gw-istio' } })
  assert.throws(
    () => made({}, {}, twin),
    /Gateway\/app\/other: istiod makes Deployment\/app\/gw-istio of it, .* Gateway\/app\/gw makes \(gw\.yaml:1\)/,
  )
  // The same name elsewhere, or of another kind, is none.
  assert.ok(made({}, {}, namespace('b'), service('b/gw-istio')))
})

test('what may not be changed of it stays as it was, and the rest follows its Gateway', () => {
  const listeners = (port: number) => ({ listeners: [{ name: 'http', port, protocol: 'HTTP' }] })
  const [old, labelled] = [gateway('app/gw', listeners(80)), { app: 'dst' }]
  const kept = gatewayObjects([...base, old]).filter(({ kind }) => kind === 'Deployment')
  const changed = [...base, gateway('app/gw', { ...listeners(81), infrastructure: { labels: labelled } })]
  const snapshots = [compile([...base, old]), compile(changed), compile(changed, { kept })]
  assert.deepEqual(
    snapshots.map((snapshot) => {
      const { labels, ports, name } = podOf(snapshot)
      const { endpoints, ports: of } = snapshot.services.get('app/gw-istio') ?? {}
      const behind = snapshot.services.get('app/dst')?.endpoints.length
      return [
        labels.app,
        ports[0]?.port,
        name === podOf(compile([...base, old])).name,
        of?.at(-1)?.port,
        endpoints?.length,
        behind,
      ]
    }),
    [
      [undefined, 80, true, 80, 1, 1],
      ['dst', 81, false, 81, 1, 2],
      [undefined, 81, true, 81, 1, 1],
    ],
  )
})
