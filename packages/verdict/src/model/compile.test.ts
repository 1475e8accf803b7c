import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ambient, namespace, resource, service, workload } from '../testing/objects.js'
import type { Pod } from '../types.js'
import { compile } from './compile.js'

const shop = [
  ambient('shop'),
  workload('shop/web', { ports: [{ name: 'http', containerPort: 8080 }] }),
  workload('shop/api', { replicas: 3 }),
  workload('shop/db', { kind: 'StatefulSet', replicas: 2 }),
  workload('shop/agent', { kind: 'DaemonSet' }),
  service('shop/web', { targetPort: 'http' }),
  service('shop/db', { headless: true, port: 5432 }),
]

function podsOf(pods: ReadonlyMap<string, Pod>, key: string): Pod[] {
  return [...pods.values()].filter((pod) => pod.workload === key)
}

test('pods are named as Kubernetes names them, and the same every time', () => {
  const { pods } = compile(shop)
  assert.match(
    podsOf(pods, 'shop/web')[0]?.name ?? '',
    /^web-[bcdfghjklmnpqrstvwxz2456789]{10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/,
  )
  assert.deepEqual(
    podsOf(pods, 'shop/db').map((pod) => pod.name),
    ['db-0', 'db-1'],
  )
  assert.deepEqual(
    podsOf(pods, 'shop/agent').map((pod) => pod.node),
    ['bulkhead-worker', 'bulkhead-worker2'],
  )
  assert.equal(new Set(podsOf(pods, 'shop/api').map((pod) => pod.name)).size, 3)
  assert.deepEqual([...compile(shop).pods.keys()], [...pods.keys()])
})

test('workloads of one namespace alternate between the nodes, and so do replicas', () => {
  const { pods } = compile(shop)
  const nodes = ['shop/web', 'shop/api', 'shop/db'].map((key) => podsOf(pods, key).map((pod) => pod.node.at(-1)))
  assert.deepEqual(nodes, [['r'], ['2', 'r', '2'], ['r', '2']])
})

test('so many replicas that short names would collide', () => {
  const { pods } = compile([workload('shop/many', { replicas: 5000 })])
  assert.equal(pods.size, 5000)
  assert.equal(new Set([...pods.values()].map((pod) => pod.ip)).size, 5000)
})

test('addresses: one per pod, from the block of its node', () => {
  const { pods, nodes } = compile(shop)
  const all = [...pods.values()]
  assert.equal(new Set(all.map((pod) => pod.ip)).size, all.length)
  for (const pod of all) assert.match(pod.ip, pod.node === 'bulkhead-worker' ? /^10\.244\.1\./ : /^10\.244\.2\./)
  assert.deepEqual(
    nodes.map((node) => node.ip),
    ['172.18.0.3', '172.18.0.4'],
  )
})

test('what stays keeps its name, node and address', () => {
  const before = compile(shop)
  const more = [...shop.slice(0, 1), workload('shop/first'), service('shop/first'), ...shop.slice(1)]
  const after = compile(more, { previous: before })
  for (const [key, pod] of before.pods) assert.deepEqual(after.pods.get(key), pod)
  for (const [key, model] of before.services) assert.equal(after.services.get(key)?.clusterIP, model.clusterIP)
  assert.equal(after.pods.size, before.pods.size + 1)
  // Without the memory, the newcomer shifts the others.
  assert.notDeepEqual(podsOf(compile(more).pods, 'shop/web')[0]?.node, podsOf(before.pods, 'shop/web')[0]?.node)
})

test('a changed template is a new pod, and nobody else takes part in it', () => {
  const before = compile(shop)
  const changed = workload('shop/web', { labels: { app: 'web', version: 'v2' } })
  const after = compile([...shop.filter(({ id }) => id !== 'Deployment/shop/web'), changed], { previous: before })
  assert.notEqual(podsOf(after.pods, 'shop/web')[0]?.name, podsOf(before.pods, 'shop/web')[0]?.name)
  assert.deepEqual(podsOf(after.pods, 'shop/api'), podsOf(before.pods, 'shop/api'))
})

test('identity: the ServiceAccount, `default` when none is named', () => {
  const bare = resource({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', namespace: 'shop', labels: { a: 'b' } },
    spec: { containers: [] },
  })
  const { pods } = compile([...shop, bare], { trustDomain: 'example.org' })
  assert.equal(pods.get('shop/one')?.identity, 'spiffe://example.org/ns/shop/sa/default')
  assert.equal(pods.get('shop/one')?.workload, 'shop/one')
  assert.equal(podsOf(pods, 'shop/web')[0]?.identity, 'spiffe://example.org/ns/shop/sa/web')
})

test('identity: `serviceAccount` is the old name of serviceAccountName, and counts where that is not set', () => {
  const pod = (name: string, spec: object) =>
    resource({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop' },
      spec: { containers: [], ...spec },
    })
  const { pods } = compile([
    pod('old', { serviceAccount: 'robot' }),
    pod('both', { serviceAccount: 'robot', serviceAccountName: 'human' }),
    pod('empty', { serviceAccountName: '' }),
  ])
  assert.deepEqual(
    [...pods.values()].map(({ serviceAccount }) => serviceAccount),
    ['robot', 'human', 'default'],
  )
})

test('a Service is found by every address that it has, however that is written', () => {
  const web = resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      clusterIP: '10.96.3.3',
      clusterIPs: ['10.96.3.3', 'fd00:0::0A'],
      externalIPs: ['198.51.100.7'],
      selector: { app: 'web' },
      ports: [{ port: 80 }],
    },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.80' }, { hostname: 'web.example.com' }] } },
  })
  const snapshot = compile([web])
  for (const ip of ['10.96.3.3', 'fd00::a', '203.0.113.80']) {
    assert.equal(snapshot.serviceByIp(ip)?.key, 'shop/web', ip)
  }
})

test('the port behind a Service’s port is one of the same protocol', () => {
  const dns = resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'dns', namespace: 'shop' },
    spec: {
      selector: { app: 'dns' },
      ports: [
        { name: 'udp', port: 53, targetPort: 'dns', protocol: 'UDP' },
        { name: 'tcp', port: 53, targetPort: 'dns-tcp' },
      ],
    },
  })
  const ports = [
    { name: 'dns', containerPort: 5353, protocol: 'UDP' },
    { name: 'dns-tcp', containerPort: 5354 },
  ]
  const snapshot = compile([workload('shop/dns', { ports }), dns])
  const [service] = snapshot.services.values()
  const [pod] = snapshot.pods.values()
  assert.ok(service && pod)
  assert.equal(snapshot.targetPort(service, 53, pod), 5354)
  assert.equal(snapshot.targetPort(service, 53, pod, 'UDP'), 5353)
})

test('capture (C.1): by namespace or pod, never against `none`, on the host network, in kube-system or with a sidecar', () => {
  const mode = 'istio.io/dataplane-mode'
  const { pods, notModelled } = compile([
    ambient('in'),
    namespace('out'),
    ambient('kube-system'),
    namespace('side', { 'istio-injection': 'enabled' }),
    namespace('rev', { 'istio.io/rev': 'canary' }),
    workload('in/plain'),
    workload('in/none', { labels: { app: 'none', [mode]: 'none' } }),
    workload('in/host', { hostNetwork: true }),
    workload('in/sidecar', { annotations: { 'sidecar.istio.io/status': '{}' } }),
    workload('out/plain'),
    workload('out/joined', { labels: { app: 'joined', [mode]: 'ambient' } }),
    workload('kube-system/plain'),
    workload('side/plain'),
    workload('side/host', { hostNetwork: true }),
    workload('rev/plain'),
    workload('rev/out', { labels: { app: 'out', 'sidecar.istio.io/inject': 'false' } }),
  ])
  assert.deepEqual(
    [...pods.values()].filter((pod) => pod.mesh).map((pod) => pod.workload),
    ['in/plain', 'out/joined'],
  )
  assert.deepEqual(
    notModelled.map(({ id }) => id),
    ['Deployment/in/sidecar', 'Deployment/side/plain', 'Deployment/rev/plain'],
  )
  const host = podsOf(pods, 'in/host')[0]
  assert.equal(host?.ip, '172.18.0.3')
})

test('Services: endpoints by selector, named ports per pod, headless without an address', () => {
  const snapshot = compile(shop)
  const web = snapshot.services.get('shop/web')
  const [pod] = podsOf(snapshot.pods, 'shop/web')
  assert.ok(web && pod)
  assert.deepEqual(web.endpoints, [pod.key])
  assert.equal(snapshot.targetPort(web, 80, pod), 8080)
  assert.equal(snapshot.targetPort(web, 81, pod), undefined)
  assert.match(web.clusterIP ?? '', /^10\.96\.\d+\.\d+$/)
  assert.equal(snapshot.serviceByIp(web.clusterIP ?? ''), web)
  assert.equal(snapshot.podByIp(pod.ip), pod)
  const db = snapshot.services.get('shop/db')
  assert.equal(db?.clusterIP, undefined)
  assert.equal(db?.endpoints.length, 2)
  const [api] = podsOf(snapshot.pods, 'shop/api')
  assert.ok(api)
  assert.equal(snapshot.targetPort(web, 80, api), undefined, 'a pod without a port of that name')
})

test('a Service without a selector has no endpoints', () => {
  assert.deepEqual(
    compile([...shop, service('shop/manual', { selector: {} })]).services.get('shop/manual')?.endpoints,
    [],
  )
})

test('what a cluster would refuse stops the run, with file and line', () => {
  assert.throws(() => compile([workload('shop/web', { replicas: -1 })]), {
    name: 'CompileError',
    message: 'web.yaml:8: Deployment/shop/web: replicas is -1; it must be a whole number from 0 to 5000',
  })
  const twins = [workload('shop/db', { kind: 'StatefulSet' }), workload('shop/db-0', { kind: 'StatefulSet' })]
  assert.doesNotThrow(() => compile(twins))
  const bare = resource({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db-0', namespace: 'shop' },
    spec: { containers: [] },
  })
  assert.throws(() => compile([...twins, bare]), { message: /its pod shop\/db-0 is also one of shop\/db/ })
})

test('kinds of other groups with the same name are not ours', () => {
  const knative = resource({
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'k', namespace: 'shop' },
  })
  assert.equal(compile([knative]).services.size, 0)
})
