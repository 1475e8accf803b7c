import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { selfSigned } from './testing/certificate.js'
import { names, seen, synced, view } from './testing/connected.js'
import { FakeApi, nodeObject, podObject, status } from './testing/fake-api.js'

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
  await eventually('the change', () => [...cluster.pods()].some(({ labels }) => labels.app === 'changed'))
  api.remove('pods', 'api', 'shop')
  await seen(cluster, ['web'])
  api.set('nodes', nodeObject('node-2', 'False'))
  api.set('nodes', nodeObject('node-3', 'Unknown'))
  await eventually('two nodes', () => cluster.nodes().length === 2)
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
  await eventually('only the one of b', () => [...cluster.pods()].map(({ uid }) => uid).join() === 'b')
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
  const next = await eventually('the next watch', () =>
    api.requests.slice(asked).find(({ path, query }) => path === '/api/v1/pods' && query.get('watch') === 'true'),
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
  await eventually('a second list', () => api.lists('pods') > 1)
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

test('closing ends everything at once, wherever it is', async (t) => {
  const api = await FakeApi.start(t)
  const listening = view(t, api.access)
  await synced(listening)
  await api.watched()
  await listening.close()
  await eventually('the watches are gone', () => api.watches.size === 0)
  api.instead = () => true
  const waiting = view(t, api.access)
  await eventually('the lists are asked for', () => api.requests.length >= 4)
  const started = performance.now()
  await waiting.close()
  assert.ok(performance.now() - started < 500)
})
