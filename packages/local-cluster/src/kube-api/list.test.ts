import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, failure, json, list, names, reading } from '../testing/kube-answers.js'
import { ask, kubeWorld, seenPod } from '../testing/kube-source.js'

test('discovery and health', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, [account])
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  for (const path of ['/livez', '/readyz', '/healthz']) assert.equal((await ask(api, path)).text, 'ok')
  assert.equal(json(await ask(api, '/version')).major, '1')
  assert.equal((await ask(api, '/api')).code, 403)
  assert.deepEqual(json(await ask(api, '/api', { token })).versions, ['v1'])
  assert.deepEqual(json(await ask(api, '/apis', { token })).groups, [])
  const { resources } = json(await ask(api, '/api/v1', { token })) as { resources: { name: string; verbs: string[] }[] }
  assert.deepEqual(
    resources.map(({ name, verbs }) => `${name} ${verbs}`),
    ['nodes get,list,watch', 'pods get,list,watch'],
  )
  // A HEAD is a `get` of a resource; of a path it is a verb of its own.
  assert.equal((await ask(api, '/version', { token, method: 'HEAD' })).code, 403)
})

test('a HEAD has the head of the answer, and no body', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const head = await ask(api, '/api/v1/pods', { token: await tokenOf(web), method: 'HEAD' })
  assert.deepEqual([head.code, head.text, head.headers['content-type']], [200, '', 'application/json'])
})

test('lists: everything, a namespace, one; by labels and fields; page by page, of one version', async (t) => {
  const { api, tokenOf, put, remove } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  for (const n of [2, 3, 4]) put(seenPod(`shop/web-${n}`, { labels: { app: n === 4 ? 'db' : 'web' } }))
  put(seenPod('demo/other'))
  const token = await tokenOf(web)
  const of = async (path: string) => list(await ask(api, path, { token }))
  assert.deepEqual(names(await of('/api/v1/pods')), ['other', 'web-1', 'web-2', 'web-3', 'web-4'])
  assert.deepEqual(names(await of('/api/v1/namespaces/shop/pods')), ['web-1', 'web-2', 'web-3', 'web-4'])
  assert.deepEqual(names(await of('/api/v1/namespaces/none/pods')), [])
  assert.deepEqual(names(await of('/api/v1/pods?labelSelector=app%3Ddb')), ['web-4'])
  assert.deepEqual(names(await of('/api/v1/pods?fieldSelector=metadata.name%3Dweb-2')), ['web-2'])
  assert.deepEqual(names(await of('/api/v1/nodes')), ['bulkhead-control-plane', 'bulkhead-worker'])
  assert.equal(json(await ask(api, '/api/v1/nodes/bulkhead-worker', { token })).kind, 'Node')

  const first = await of('/api/v1/namespaces/shop/pods?limit=2')
  assert.deepEqual(names(first), ['web-1', 'web-2'])
  assert.equal(first.metadata.remainingItemCount, 2)
  remove('shop/web-3')
  const second = await of(`/api/v1/namespaces/shop/pods?limit=2&continue=${first.metadata.continue}`)
  assert.deepEqual(names(second), ['web-3', 'web-4'], 'as it was when it was begun')
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  assert.equal(second.metadata.continue, undefined)
  assert.deepEqual(names(await of('/api/v1/namespaces/shop/pods')), ['web-1', 'web-2', 'web-4'])

  const { resourceVersion } = (await of('/api/v1/pods')).metadata
  assert.equal((await of(`/api/v1/pods?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)).items.length, 4)
  assert.equal((await of('/api/v1/pods?resourceVersion=0')).items.length, 4)
  // The one before is kept, for the pages above.
  const old = `${Number(resourceVersion) - 2}`
  assert.equal((await of(`/api/v1/pods?resourceVersion=${old}&resourceVersionMatch=NotOlderThan`)).items.length, 4)
  const bad: readonly [query: string, failure: RegExp][] = [
    [`resourceVersion=${old}&resourceVersionMatch=Exact`, /^410 Expired: too old resource version/],
    [`resourceVersion=${Number(resourceVersion) + 9}`, /^504 Timeout: Too large resource version/],
    ['resourceVersion=x', /^400 BadRequest: invalid resourceVersion "x"/],
    ['resourceVersionMatch=Exact', /^400 BadRequest/],
    ['resourceVersion=1&resourceVersionMatch=Ish', /^400 BadRequest/],
    ['limit=-1', /^400 BadRequest: invalid limit "-1"/],
    ['limit=99999999999999999999', /^400 BadRequest/],
    ['continue=x', /^400 BadRequest: continue key is not valid/],
    [
      `continue=${Buffer.from('{"v":"bulkhead/v1","rv":7,"start":""}').toString('base64url')}`,
      /^410 Expired: The provided continue/,
    ],
    ['labelSelector=a%20b', /^400 BadRequest: unable to parse requirement/],
    ['fieldSelector=spec.x%3D1', /^400 BadRequest: field label not supported: spec.x/],
  ]
  for (const [query, words] of bad)
    assert.match(failure(await ask(api, `/api/v1/pods?${query}`, { token }), query), words, query)
})
