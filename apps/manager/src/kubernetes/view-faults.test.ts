import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { names, seen, synced, view } from './testing/connected.js'
import { FakeApi, type Instead, podObject, status } from './testing/fake-api.js'

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
  await eventually('the API server’s own words', () => /403.*cannot list resource "pods"/.test(cluster.problem ?? ''))
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
  await eventually('the list is given up', () => /no answer in time/.test(cluster.problem ?? ''))
  silent = (watch) => watch
  await eventually('the watch is given up', () => /watch was not answered in time/.test(cluster.problem ?? ''))
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
  await eventually(`it is noticed: ${cluster.noted}`, () =>
    cluster.noted.some((line) => /ECONN|socket|hang up|closed/i.test(line)),
  )
  await eventually('the grace is over', () => !cluster.synced)
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
    'four watches',
    () =>
      api.requests.filter(({ path, query }) => path === '/api/v1/pods' && query.get('watch') === 'true').length >= 4,
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
    await eventually('the problem is told', () => cluster.noted.some((line) => line.startsWith('pods: ')))
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
  await eventually('it is told', () => /no watch lasts/.test(cluster.problem ?? ''))
  assert.ok(api.requests.length < 20, `${api.requests.length} requests`)
})
