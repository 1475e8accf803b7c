import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '@bulkhead/service-kit/testing'
import { inClusterAccess, type KubernetesAccess, kubeConfigAccess } from './access.js'
import type { Patience } from './reflector.js'
import { selfSigned } from './testing/certificate.js'
import { FakeApi, type Instead, nodeObject, podObject, status } from './testing/fake-api.js'
import type { ClusterView } from './types.js'
import { connectCluster } from './view.js'

const hasty: Partial<Patience> = { retryMs: 5, retryMaxMs: 40, listTimeoutMs: 1_000 }

function view(
  t: TestContext,
  access: KubernetesAccess,
  more: { patience?: Partial<Patience>; graceMs?: number } = {},
): ClusterView & { readonly noted: string[] } {
  const noted: string[] = []
  const cluster = connectCluster({
    access,
    patience: { ...hasty, ...more.patience },
    graceMs: more.graceMs ?? 0,
    note: (resource, problem) => noted.push(`${resource}: ${problem ?? 'ok'}`),
  })
  t.after(() => cluster.close())
  return Object.defineProperty(cluster, 'noted', { value: noted }) as ClusterView & { noted: string[] }
}

const synced = (cluster: ClusterView): Promise<true> =>
  eventually(() => cluster.synced || undefined, 'the view is synced') as Promise<true>
const names = (cluster: ClusterView): string[] => [...cluster.pods()].map(({ name }) => name).sort()
const seen = (cluster: ClusterView, expected: string[]): Promise<unknown> =>
  eventually(
    () => names(cluster).join() === expected.join(),
    `the pods are ${expected.join()}, not ${names(cluster).join()}`,
  )

test('contract 1.11: pods and nodes are listed, then followed, over TLS with the token', async (t) => {
  const api = await FakeApi.start(t, await selfSigned())
  api.set('pods', podObject('web'))
  api.set('nodes', nodeObject('node-1'))
  const cluster = view(t, api.access)
  assert.equal(cluster.synced, false, 'nothing has been read yet')
  await synced(cluster)
  assert.deepEqual(
    [...cluster.pods()],
    [
      {
        uid: 'uid-of-web',
        name: 'web',
        namespace: 'shop',
        nodeName: 'node-1',
        phase: 'Running',
        podIP: '10.244.1.7',
        hostIP: '172.18.0.3',
        serviceAccount: 'web',
        labels: { app: 'web' },
        containers: [{ name: 'main', commandLine: '/bin/run --as web', ports: [8080] }],
      },
    ],
  )
  assert.deepEqual(cluster.nodes(), [{ name: 'node-1', status: 'Ready' }])
  assert.equal(cluster.problem, undefined)
  await api.watched()
  assert.ok(api.requests.every(({ authorization }) => authorization === 'Bearer a-token'))
  const [watch] = api.watches
  assert.equal(watch?.query.get('allowWatchBookmarks'), 'true')
  assert.ok(Number(watch?.query.get('timeoutSeconds')) >= 240)
})

test('contract 1.17.13: add, update and delete events are seen by queries', async (t) => {
  const api = await FakeApi.start(t)
  const cluster = view(t, api.access)
  await synced(cluster)
  await api.watched()
  api.set('pods', podObject('web'))
  api.set('pods', podObject('api'))
  await seen(cluster, ['api', 'web'])
  api.set('pods', podObject('web', { labels: { app: 'changed' } }))
  await eventually(() => [...cluster.pods()].some(({ labels }) => labels.app === 'changed'), 'the change')
  api.remove('pods', 'api', 'shop')
  await seen(cluster, ['web'])
  api.set('nodes', nodeObject('node-2', 'False'))
  api.set('nodes', nodeObject('node-3', 'Unknown'))
  await eventually(() => cluster.nodes().length === 2, 'two nodes')
  assert.deepEqual(
    cluster.nodes().map(({ status }) => status),
    ['NotReady', 'Unknown'],
  )
})

test('of two pods of one name in two namespaces each goes alone', async (t) => {
  const api = await FakeApi.start(t)
  api.set('pods', podObject('web', { namespace: 'a', uid: 'a' }))
  api.set('pods', podObject('web', { namespace: 'b', uid: 'b' }))
  const cluster = view(t, api.access)
  await synced(cluster)
  await api.watched()
  api.remove('pods', 'web', 'a')
  await eventually(() => [...cluster.pods()].map(({ uid }) => uid).join() === 'b', 'only the one of b')
})

test('a list comes in pages', async (t) => {
  const api = await FakeApi.start(t)
  for (let n = 0; n < 1_203; n++) api.set('pods', podObject(`p${n}`))
  const cluster = view(t, api.access)
  await synced(cluster)
  assert.equal(names(cluster).length, 1_203)
  assert.equal(api.lists('pods'), 3)
})

test('after a break the watch goes on where it was, without another list', async (t) => {
  const api = await FakeApi.start(t)
  const cluster = view(t, api.access)
  await synced(cluster)
  await api.watched()
  api.set('pods', podObject('one'))
  await seen(cluster, ['one'])
  api.drop()
  api.set('pods', podObject('two'))
  api.remove('pods', 'one', 'shop')
  await seen(cluster, ['two'])
  assert.equal(api.lists('pods'), 1)
})

test('a bookmark is where the next watch begins', async (t) => {
  const api = await FakeApi.start(t)
  const cluster = view(t, api.access)
  await synced(cluster)
  await api.watched()
  api.bookmark('pods')
  const { version } = api
  const asked = api.requests.length
  api.end()
  const next = await eventually(
    () => api.requests.slice(asked).find(({ path, query }) => path === '/api/v1/pods' && query.get('watch') === 'true'),
    'the next watch',
  )
  assert.equal(next.query.get('resourceVersion'), version)
})

test('410 Gone, as an event or as the answer: everything is listed again, and what went meanwhile is gone', async (t) => {
  const api = await FakeApi.start(t)
  api.set('pods', podObject('old'))
  const cluster = view(t, api.access)
  await synced(cluster)
  await api.watched()
  api.instead = ({ watch }, response) => {
    if (watch) response.destroy()
    return watch
  }
  api.drop()
  api.remove('pods', 'old', 'shop')
  api.set('pods', podObject('new'))
  api.oldest = 1_000
  api.instead = () => false
  await eventually(() => api.lists('pods') > 1, 'a second list')
  await seen(cluster, ['new'])
  api.oldest = 0
  await api.watched()
  const before = api.lists('pods')
  api.setSilently('pods', podObject('newer'))
  api.instead = ({ watch, resource }, response) => {
    if (!watch || resource !== 'pods' || api.lists('pods') > before) return false
    status(response, 410, 'too old resource version')
    return true
  }
  api.drop()
  await seen(cluster, ['new', 'newer'])
})

test('contract M29: without the right to list it says so, hangs nowhere, and is synced once it may', async (t) => {
  const api = await FakeApi.start(t)
  const refuse: Instead = ({ resource }, response) => {
    if (resource !== 'pods') return false
    status(response, 403, 'pods is forbidden: User "system:serviceaccount:gthulhu:m" cannot list resource "pods"')
    return true
  }
  api.instead = refuse
  api.set('pods', podObject('web'))
  const cluster = view(t, api.access)
  await eventually(() => /403.*cannot list resource "pods"/.test(cluster.problem ?? ''), 'the API server’s own words')
  assert.equal(cluster.synced, false)
  assert.deepEqual(names(cluster), [])
  api.instead = () => false
  await synced(cluster)
  assert.deepEqual(names(cluster), ['web'])
  assert.ok(cluster.noted.includes('pods: ok'))
})

test('contract M29: a server that accepts and never answers is given up each time, for lists and for watches', async (t) => {
  const api = await FakeApi.start(t)
  let silent: (watch: boolean) => boolean = () => true
  api.instead = ({ watch }) => silent(watch)
  const cluster = view(t, api.access, { patience: { listTimeoutMs: 60 } })
  await eventually(() => /no answer in time/.test(cluster.problem ?? ''), 'the list is given up')
  silent = (watch) => watch
  await eventually(() => /watch was not answered in time/.test(cluster.problem ?? ''), 'the watch is given up')
  api.set('pods', podObject('web'))
  silent = () => false
  await seen(cluster, ['web'])
  await synced(cluster)
})

test('a server that is slow is waited for', async (t) => {
  const api = await FakeApi.start(t)
  api.set('pods', podObject('web'))
  api.instead = ({ watch }, response) => {
    if (watch) return false
    setTimeout(() => {
      response.write('{"metadata":{"resourceVersion":"100"},')
      setTimeout(() => response.end('"items":[]}'), 40)
    }, 40)
    return true
  }
  const cluster = view(t, api.access)
  await synced(cluster)
  await seen(cluster, ['web'])
})

test('a server that goes away and comes back: what was known stays known, it is told after the grace, and then all is right again', async (t) => {
  const api = await FakeApi.start(t)
  api.set('pods', podObject('web'))
  const cluster = view(t, api.access, { graceMs: 80 })
  await synced(cluster)
  await api.watched()
  const { port } = api
  await api.stop()
  await eventually(
    () => cluster.noted.some((line) => /ECONN|socket|hang up|closed/i.test(line)),
    `it is noticed: ${cluster.noted}`,
  )
  await eventually(() => !cluster.synced, 'the grace is over')
  assert.match(cluster.problem ?? '', /ECONN|socket|hang up|reset/i)
  assert.deepEqual(names(cluster), ['web'], 'old, and better than nothing')
  api.set('pods', podObject('api'))
  await api.listen(port)
  await synced(cluster)
  await seen(cluster, ['api', 'web'])
})

test('a watch that says nothing for too long is taken for dead, and begun again where it was', async (t) => {
  const api = await FakeApi.start(t)
  const cluster = view(t, api.access, { patience: { silenceMs: 60 } })
  await synced(cluster)
  await eventually(
    () =>
      api.requests.filter(({ path, query }) => path === '/api/v1/pods' && query.get('watch') === 'true').length >= 4,
    'four watches',
  )
  assert.equal(api.lists('pods'), 1)
  assert.equal(cluster.problem, undefined, 'a quiet cluster is no problem')
})

for (const [what, text] of [
  ['an event of an unknown type', '{"type":"SURPRISE","object":{"metadata":{"name":"x","namespace":"y"}}}\n'],
  ['an object that is no pod', '{"type":"ADDED","object":{"metadata":{"name":7}}}\n'],
  ['an event without an object', '{"type":"MODIFIED"}\n'],
  ['an event that is no object', '[1]\n'],
  [
    'a label that is a number',
    '{"type":"ADDED","object":{"metadata":{"name":"x","namespace":"y","uid":"z","labels":{"a":1}}}}\n',
  ],
] as const) {
  test(`${what}: nothing is believed any more until there is a new list`, async (t) => {
    const api = await FakeApi.start(t)
    api.set('pods', podObject('web'))
    const cluster = view(t, api.access)
    await synced(cluster)
    await api.watched()
    api.setSilently('pods', podObject('api'))
    api.write('pods', text)
    await seen(cluster, ['api', 'web'])
    await synced(cluster)
    assert.equal(api.lists('pods'), 2)
  })
}

test('lines that are no JSON are passed over, and what they may have been is found by the next list', async (t) => {
  const api = await FakeApi.start(t)
  const cluster = view(t, api.access, { patience: { relistMs: 50, silenceMs: 40 } })
  await synced(cluster)
  await api.watched()
  api.setSilently('pods', podObject('lost'))
  api.write('pods', '<html>\n\n{"type":"ADD\n')
  await seen(cluster, ['lost'])
})

for (const [what, body] of [
  ['a page of a proxy', '<html>welcome</html>'],
  ['a list without a version', '{"metadata":{},"items":[]}'],
  ['no list', '{"metadata":{"resourceVersion":"1"}}'],
  ['nothing', ''],
  ['a list of what are no pods', '{"metadata":{"resourceVersion":"1"},"items":[7]}'],
] as const) {
  test(`instead of the list, ${what}: it is told, and tried again`, async (t) => {
    const api = await FakeApi.start(t)
    api.set('pods', podObject('web'))
    let lies = true
    api.instead = ({ watch, resource }, response) => {
      if (!lies || watch || resource !== 'pods') return false
      response.end(body)
      return true
    }
    const cluster = view(t, api.access)
    await eventually(() => cluster.noted.some((line) => line.startsWith('pods: ')), 'the problem is told')
    assert.equal(cluster.synced, false)
    lies = false
    await synced(cluster)
    assert.deepEqual(names(cluster), ['web'])
  })
}

test('a server that ends every watch at once is asked with pauses, and is a problem', async (t) => {
  const api = await FakeApi.start(t)
  api.instead = ({ watch }, response) => {
    if (watch) response.end()
    return watch
  }
  const cluster = view(t, api.access, { patience: { retryMs: 20, retryMaxMs: 10_000 } })
  await eventually(() => /no watch lasts/.test(cluster.problem ?? ''), 'it is told')
  assert.ok(api.requests.length < 20, `${api.requests.length} requests`)
})

test('a redirect is not followed: the token is for this server', async (t) => {
  const [api, other] = await Promise.all([FakeApi.start(t), FakeApi.start(t)])
  api.instead = ({ watch, resource }, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${other.port}/api/v1/${resource}?watch=${watch}` })
    response.end()
    return true
  }
  const cluster = view(t, api.access)
  await eventually(() => /302/.test(cluster.problem ?? ''), 'a refusal')
  api.instead = ({ watch, resource }, response) => {
    if (watch) response.writeHead(302, { location: `http://127.0.0.1:${other.port}/api/v1/${resource}` }).end()
    return watch
  }
  await eventually(() => /redirect/.test(cluster.problem ?? ''), 'a refusal of the watch')
  assert.equal(other.requests.length, 0)
})

test('a certificate of another authority is refused', async (t) => {
  const [tls, other] = await Promise.all([selfSigned(), selfSigned()])
  const api = await FakeApi.start(t, tls)
  const cluster = view(t, {
    server: api.access.server,
    credentials: () => Promise.resolve({ headers: {}, tls: { ca: other.cert } }),
  })
  await eventually(() => /certificate/.test(cluster.problem ?? ''), 'the certificate is refused')
  assert.equal(api.requests.length, 0)
})

test('closing ends everything at once, wherever it is', async (t) => {
  const api = await FakeApi.start(t)
  const listening = view(t, api.access)
  await synced(listening)
  await api.watched()
  await listening.close()
  await eventually(() => api.watches.size === 0, 'the watches are gone')
  api.instead = () => true
  const waiting = view(t, api.access)
  await eventually(() => api.requests.length >= 4, 'the lists are asked for')
  const started = performance.now()
  await waiting.close()
  assert.ok(performance.now() - started < 500)
})

test('the access of a pod: token and authority are read from its files, each time anew', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'manager-account-'))
  t.after(() => rm(folder, { recursive: true }))
  const tls = await selfSigned()
  const api = await FakeApi.start(t, tls)
  api.set('pods', podObject('web'))
  const access = inClusterAccess(
    { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) },
    folder,
  )
  const cluster = view(t, access)
  await eventually(() => /token/.test(cluster.problem ?? ''), 'the file that is missing')
  await writeFile(join(folder, 'ca.crt'), tls.cert)
  await writeFile(join(folder, 'token'), 'an-old-token\n')
  await eventually(() => /401/.test(cluster.problem ?? ''), 'the old token is refused')
  await writeFile(join(folder, 'token'), 'a-token\n')
  await synced(cluster)
  assert.deepEqual(names(cluster), ['web'])
  assert.throws(() => inClusterAccess({}, folder), /KUBERNETES_SERVICE_HOST/)
  assert.equal(
    inClusterAccess({ KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: '6443' }, folder).server,
    'https://[::1]:6443',
  )
})

test('the access of a kubeconfig file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'manager-kubeconfig-'))
  t.after(() => rm(folder, { recursive: true }))
  const tls = await selfSigned()
  const api = await FakeApi.start(t, tls)
  api.set('pods', podObject('web'))
  const file = join(folder, 'config')
  const config = {
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: `${api.access.server}/`,
          'certificate-authority-data': Buffer.from(tls.cert).toString('base64'),
        },
      },
    ],
    users: [{ name: 'me', user: { token: 'a-token' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'me' } }],
  }
  await writeFile(file, JSON.stringify(config))
  const cluster = view(t, await kubeConfigAccess(file))
  await synced(cluster)
  await api.watched()
  assert.deepEqual(names(cluster), ['web'])
  await writeFile(file, '{}')
  await assert.rejects(kubeConfigAccess(file))
  await assert.rejects(kubeConfigAccess(join(folder, 'none')), /ENOENT/)
})
