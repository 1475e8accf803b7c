import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { failure, list, names, reading } from '../testing/kube-answers.js'
import { ask, kubeWorld, seenPod, watch } from '../testing/kube-source.js'

test('a watch goes on from a list without losing or repeating anything', async (t) => {
  const { api, tokenOf, put, remove } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const { metadata } = list(await ask(api, '/api/v1/pods', { token }))
  put(seenPod('shop/web-2', { uid: 'two' }))
  const watched = await watch(t, api, `/api/v1/pods?watch=true&resourceVersion=${metadata.resourceVersion}`, { token })
  assert.equal(watched.code, 200)
  await eventually('what was missed is told', () => watched.lines().length === 1)
  put(seenPod('shop/web-2', { uid: 'two', ready: false }))
  await eventually('a change is told', () => watched.lines().length === 2)
  remove('shop/web-2')
  put(seenPod('demo/other'))
  await eventually('the rest is told', () => watched.lines().length === 4)
  assert.deepEqual(watched.said(), ['ADDED web-2', 'MODIFIED web-2', 'DELETED web-2', 'ADDED other'])
  const versions = watched.lines().map(({ object }) => Number(object.metadata?.resourceVersion))
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  )
  assert.equal(new Set(versions).size, 4)
})

test('a watch from nothing begins with what there is; one of a selection sees objects come into it and go', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1', { uid: 'one' })
  put(web)
  const token = await tokenOf(web)
  const query = 'watch=1&labelSelector=app%3Dweb'
  const watched = await watch(t, api, `/api/v1/namespaces/shop/pods?${query}`, { token })
  await eventually('it begins', () => watched.lines().length === 1)
  put(seenPod('demo/other'))
  for (const app of ['db', 'web']) {
    const before = watched.lines().length
    put(seenPod('shop/web-1', { uid: 'one', labels: { app } }))
    await eventually(`app=${app} is told`, () => watched.lines().length > before)
  }
  assert.deepEqual(watched.said(), ['ADDED web-1', 'DELETED web-1', 'ADDED web-1'])
  const [, gone] = watched.lines()
  assert.deepEqual(gone?.object.metadata?.labels, { app: 'web' }, 'as it was seen last')
})

test('bookmarks tell where it stands, and a watch ends when its time is over', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading, { bookmarkMs: 20 })
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const watched = await watch(t, api, '/api/v1/nodes?watch=true&allowWatchBookmarks=true', { token })
  put(seenPod('demo/other'))
  const { resourceVersion } = list(await ask(api, '/api/v1/pods', { token })).metadata
  // Nodes have not changed, and yet this watch has come further.
  await eventually('a bookmark', () => watched.said().includes(`BOOKMARK ${resourceVersion}`))
  assert.equal(watched.lines().at(-1)?.object.kind, 'Node')
  const without = await watch(t, api, '/api/v1/nodes?watch=true&timeoutSeconds=1', { token })
  await eventually('its time is over', () => without.ended())
  assert.deepEqual(without.said(), ['ADDED bulkhead-control-plane', 'ADDED bulkhead-worker'])
  assert.equal(watched.ended(), false)
})

test('a watch from too long ago is told 410 as an event, from the future 504, and what is not spoken is refused', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading, { kept: 2 })
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const { resourceVersion } = list(await ask(api, '/api/v1/pods', { token })).metadata
  for (let n = 0; n < 4; n++) put(seenPod(`shop/x-${n}`))
  const late = await watch(t, api, `/api/v1/pods?watch=true&resourceVersion=${resourceVersion}`, { token })
  await eventually('it ends', () => late.ended())
  const [line, ...more] = late.lines()
  assert.deepEqual(
    [late.code, line?.type, line?.object.code, line?.object.reason, more.length],
    [200, 'ERROR', 410, 'Expired', 0],
  )
  assert.match(String(line?.object.message), /^too old resource version: \d+ \(\d+\)$/)
  // Of another run.
  const other = await watch(t, api, '/api/v1/pods?watch=true&resourceVersion=12345', { token })
  await eventually('it ends', () => other.ended())
  assert.equal(other.lines()[0]?.object.code, 410)
  const refused: readonly [query: string, words: RegExp][] = [
    [`resourceVersion=${Date.now() + 1e9}`, /^504 Timeout: Too large resource version/],
    [
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan',
      /^422 Invalid: .*sendInitialEvents is forbidden for watch/,
    ],
    ['resourceVersionMatch=Exact&resourceVersion=1', /^422 Invalid: .*resourceVersionMatch is forbidden/],
    ['timeoutSeconds=x', /^400 BadRequest/],
    ['labelSelector=%2B%2B', /^400 BadRequest/],
  ]
  for (const [query, words] of refused)
    assert.match(failure(await ask(api, `/api/v1/pods?watch=true&${query}`, { token })), words, query)
})

test('who does not read is cut off, and the others are not', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1', { uid: 'one' })
  put(web)
  const token = await tokenOf(web)
  const slow = await watch(t, api, '/api/v1/pods?watch=true', { token })
  const quick = await watch(t, api, '/api/v1/pods?watch=true', { token })
  await eventually('both have begun', () => slow.lines().length === 1 && quick.lines().length === 1)
  slow.stopReading()
  const large = 'x'.repeat(100_000)
  for (let n = 0; n < 150; n++) {
    put(seenPod('shop/web-1', { uid: 'one', labels: { app: `${n}`, large } }))
    list(await ask(api, '/api/v1/pods?limit=1', { token }))
  }
  await eventually('the quick one has it all', () => quick.lines().length === 151)
  assert.equal(quick.ended(), false)
  assert.equal(slow.ended(), false)
  slow.readOn()
  await eventually('the slow one is cut', () => slow.ended())
  assert.ok(slow.lines().length < 151)
})

test('more at once than a watch may be behind ends it, and nothing else', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const watched = await watch(t, api, '/api/v1/pods?watch=true', { token })
  await eventually('it has begun', () => watched.lines().length === 1)
  const large = 'x'.repeat(100_000)
  for (let n = 0; n < 100; n++) put(seenPod(`shop/large-${n}`, { labels: { large } }))
  await eventually('it is cut', () => watched.ended())
  assert.ok(watched.lines().length < 101)
  assert.equal(names(list(await ask(api, '/api/v1/pods?limit=500', { token }))).length, 101)
})

test('as many watches as there are places, and then 429 until one ends', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading, { maxWatches: 2 })
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const path = '/api/v1/pods?watch=true'
  const first = await watch(t, api, path, { token })
  await watch(t, api, path, { token })
  const refused = await ask(api, path, { token })
  assert.equal(failure(refused), '429 TooManyRequests: too many requests, please try again later')
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 200)
  first.leave()
  await eventually('there is a place', async () => {
    const again = await watch(t, api, path, { token })
    return again.code === 200
  })
})
