import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { asPod, reader, readPodsAndNodes } from '../testing/kube.js'
import { start, web } from '../testing/live.js'

/** Follows the pods as controllers do, and says what it hears. */
const follow = `
const informer = k8s.makeInformer(config, '/api/v1/namespaces/shop/pods', () => core.listNamespacedPod({ namespace: 'shop' }))
const isReady = ({ status, metadata }) => metadata.deletionTimestamp === undefined && status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
for (const event of ['add', 'update', 'delete'])
  informer.on(event, (pod) => say({ event, name: pod.metadata.name, app: pod.metadata.labels.app, uid: pod.metadata.uid, ready: isReady(pod) }))
informer.on('error', (error) => say({ event: 'error', code: error?.statusCode ?? error?.code, message: String(error) }))
await informer.start()
`

test("a pod's program lists and watches by the unmodified client while pods come and go, and may do nothing else", async (t) => {
  const { cluster, save, rolled } = await start(t, { 'reader.yaml': reader(readPodsAndNodes), 'web.yaml': web('one') })
  const asked = asPod(
    t,
    cluster,
    'shop/reader',
    `
    const { items } = await core.listPodForAllNamespaces()
    say({ pods: items.map(({ metadata, status, spec }) => [metadata.name, metadata.uid.length, status.phase, status.podIP, status.hostIP, spec.nodeName, spec.containers[0].env === undefined]) })
    say({ nodes: (await core.listNode()).items.map(({ metadata, status }) => metadata.name + ' ' + status.conditions.find(({ type }) => type === 'Ready').status) })
    await core.listNamespacedSecret({ namespace: 'shop' }).catch(failed)
    await core.createNamespacedPod({ namespace: 'shop', body: { metadata: { name: 'x' }, spec: { containers: [] } } }).catch(failed)
  `,
  )
  const following = asPod(t, cluster, 'shop/reader', follow)
  const [pods, nodes, secrets, create] = await asked.over()
  const { workloads, nodes: placed } = cluster.status()
  assert.deepEqual(
    [...((pods?.pods ?? []) as unknown[][])].sort(),
    workloads
      .flatMap((workload) => workload.pods)
      .map(({ pod, ip, node }) => {
        const host = placed.find(({ name }) => name === node)?.ip
        return [pod.split('/')[1], 36, 'Running', ip, host, node, pod.startsWith('shop/client')]
      })
      .toSorted(),
  )
  assert.deepEqual(nodes?.nodes, ['bulkhead-control-plane True', 'bulkhead-worker True', 'bulkhead-worker2 True'])
  const me = 'User "system:serviceaccount:shop:reader" cannot'
  assert.deepEqual(
    [secrets?.code, secrets?.message],
    [403, `secrets is forbidden: ${me} list resource "secrets" in API group "" in the namespace "shop"`],
  )
  assert.deepEqual(
    [create?.code, create?.message],
    [403, `pods is forbidden: ${me} create resource "pods" in API group "" in the namespace "shop"`],
  )

  const isWeb = (line: Readonly<Record<string, unknown>>) => line.app === 'web'
  await following.heard('the pod that is there', (line) => isWeb(line) && line.event === 'add')
  const old = following.said().find(isWeb)?.name
  // A rollout: another pod, ready, and then the old one gone.
  await rolled(() => save('web.yaml', web('two')))
  await following.heard('the end of the old pod', (line) => line.event === 'delete' && line.name === old)
  const heard = following.said().filter(isWeb)
  const added = heard.findIndex(({ event, name }) => event === 'add' && name !== old)
  const ready = heard.findIndex(({ name, ready }) => name !== old && ready === true)
  const deleted = heard.findIndex(({ event, name }) => event === 'delete' && name === old)
  assert.ok(added !== -1 && added <= ready && ready < deleted, JSON.stringify(heard))
  assert.deepEqual(
    following.said().filter(({ event }) => event === 'error'),
    [],
  )

  const flow = cluster.flows().find(({ source, outcome }) => source.workload === 'shop/reader' && outcome === 'allow')
  assert.deepEqual(flow?.destination, {
    service: 'default/kubernetes',
    host: '10.96.0.1',
    ip: '172.18.0.2',
    port: 6443,
  })
})

const noApiServer = `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: no-api-server, namespace: shop }
spec:
  endpointSelector: { matchLabels: { app: reader } }
  egress: [{ toEntities: [all] }]
  egressDeny: [{ toEntities: [kube-apiserver] }]
`

test('the walls stand before the API server too: a policy cuts who watches, and nobody gets through, with a good token or not', async (t) => {
  const { cluster, save, told } = await start(t, { 'reader.yaml': reader(readPodsAndNodes) })
  const following = asPod(t, cluster, 'shop/reader', follow)
  await following.heard('a pod', ({ event }) => event === 'add')
  const event = await told('changed', () => save('layers/50-identity/no-api-server.yaml', noApiServer))
  assert.ok(event.closedConnections > 0)
  const asked = asPod(
    t,
    cluster,
    'shop/reader',
    `await core.listNode().then(() => say({ code: 200 }), (error) => say({ code: error.code ?? error.cause?.code, message: String(error.message) }))`,
  )
  const [answer] = await asked.over()
  assert.notEqual(answer?.code, 200)
  assert.notEqual(answer?.code, 403)
  await eventually('the record of it', () => cluster.flows().some(({ outcome }) => outcome === 'deny'))
  const denied = cluster
    .flows()
    .filter(({ outcome }) => outcome === 'deny')
    .at(-1)
  assert.equal(denied?.destination.ip, '172.18.0.2')
  const step = denied?.steps?.find(({ outcome }) => outcome === 'deny')
  assert.deepEqual(
    [step?.point, step?.policy, step?.code],
    ['cni-egress', 'CiliumNetworkPolicy/shop/no-api-server', 'cni.rule-denies'],
  )
  assert.equal(step?.facts?.peer, 'node bulkhead-control-plane')

  // Nor is there a way round them: the socket behind it is there, and to a captured program it is not.
  const { env, revoke } = cluster.exec('shop/reader')
  revoke()
  const socket = join(JSON.parse(env.BULKHEAD_CAPTURE ?? '').runDir, 'k', 'api.sock')
  const near = connect(socket)
  await once(near, 'connect')
  near.destroy()
  const thief = asPod(
    t,
    cluster,
    'shop/reader',
    `
    const { connect } = await import('node:net')
    connect(${JSON.stringify(socket)}).on('connect', () => { say({ code: 'in' }); process.exit() }).on('error', ({ code }) => say({ code }))`,
  )
  assert.deepEqual(await thief.over(), [{ code: 'ENOENT' }])
})

/** Beside the one that every pod has, a token for somebody else. */
const withAnother = (text: string) =>
  text
    .replace('          env:', '          volumeMounts: [{ name: other, mountPath: /var/run/other }]\n          env:')
    .replace(
      '            - { name: SERVER',
      '            - { name: OTHER, value: /var/run/other/token }\n            - { name: SERVER',
    )
    .concat(
      '      volumes: [{ name: other, projected: { sources: [{ serviceAccountToken: { path: token, audience: scheduler } }] } }]\n',
    )

/** Asks for the nodes with that token, on the way that every program of the pod has. */
const askWith = `
const { readFileSync, existsSync } = await import('node:fs')
const { get } = await import('node:https')
const askWith = (token) => new Promise((resolve, reject) => {
  const ca = readFileSync(ACCESS + '/ca.crt')
  get(SERVER + '/api/v1/nodes', { ca, headers: { authorization: 'Bearer ' + token } }, (response) => {
    response.resume()
    resolve(response.statusCode)
  }).on('error', reject)
})
`

test("what a pod has to ask with is in its volumes, and a token is worth nothing when made up, for somebody else's use, or its pod is gone", async (t) => {
  const file = withAnother(reader(readPodsAndNodes))
  const { cluster, save, rolled } = await start(t, { 'reader.yaml': file })
  const asked = asPod(
    t,
    cluster,
    'shop/reader',
    `${askWith}
    const own = readFileSync(ACCESS + '/token', 'utf8')
    const other = readFileSync(process.env.OTHER, 'utf8')
    const made = own.slice(0, own.lastIndexOf('.') + 1) + 'A'.repeat(86)
    say({
      own, server: SERVER, namespace: readFileSync(ACCESS + '/namespace', 'utf8'),
      codes: [await askWith(own), await askWith(made), await askWith(other), await askWith('')],
    })`,
  )
  const [{ own, server, namespace, codes } = {}] = await asked.over()
  assert.deepEqual([server, namespace], ['https://10.96.0.1:443', 'shop'])
  assert.deepEqual(codes, [200, 401, 401, 403])

  await rolled(() => save('reader.yaml', file.replace('0.1.0', '0.1.1')))
  const again = asPod(
    t,
    cluster,
    'shop/reader',
    `${askWith}
    const own = readFileSync(ACCESS + '/token', 'utf8')
    say({ codes: [await askWith(own), await askWith(${JSON.stringify(own)})] })`,
  )
  assert.deepEqual(await again.over(), [{ codes: [200, 401] }])

  const without = 'serviceAccountName: reader\n      automountServiceAccountToken: false'
  await rolled(() => save('reader.yaml', file.replace('serviceAccountName: reader', without)))
  const bare = asPod(
    t,
    cluster,
    'shop/reader',
    `${askWith}
    say({ access: ACCESS, there: existsSync(ACCESS + '/token') })`,
  )
  assert.deepEqual(await bare.over(), [{ access: '/var/run/secrets/kubernetes.io/serviceaccount', there: false }])
})
