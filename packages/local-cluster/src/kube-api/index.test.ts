import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect } from 'node:tls'
import type { KubernetesObject } from '@bulkhead/resources'
import { type Answer, ask, kubeWorld, seenPod, watch } from '../testing/kube-source.js'
import { eventually, resource } from '../testing.js'

const rbac = (kind: string, name: string, rest: object) =>
  resource({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, ...rest } as KubernetesObject &
    Record<string, unknown>)
const account = resource({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace: 'shop' } })
const granted = (rules: readonly object[]) => [
  account,
  rbac('ClusterRole', 'reader', { rules }),
  rbac('ClusterRoleBinding', 'reader', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
  }),
]
const reading = granted([{ apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }])
const everything = granted([
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
])

interface List {
  readonly metadata: {
    readonly resourceVersion: string
    readonly continue?: string
    readonly remainingItemCount?: number
  }
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[]
}
const json = ({ text }: Answer) => JSON.parse(text) as Record<string, unknown>
const list = (answer: Answer): List => {
  assert.equal(answer.code, 200, answer.text)
  return JSON.parse(answer.text) as List
}
const names = ({ items }: List) => items.map(({ metadata }) => metadata.name)
const failure = (answer: Answer, what?: string) => {
  const { kind, status, code, reason, message } = json(answer)
  assert.deepEqual([kind, status, code], ['Status', 'Failure', answer.code], what)
  return `${code} ${reason}: ${message}`
}

test('who is it: a good token; nobody without one; and 401 for every bad one, in the same words', async (t) => {
  const { api, tokenOf, put, remove, adopt, told } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  assert.deepEqual(names(list(await ask(api, '/api/v1/pods', { token }))), ['web-1'])
  assert.equal(
    failure(await ask(api, '/api/v1/pods')),
    '403 Forbidden: pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
  )
  assert.equal(failure(await ask(api, '/')), '403 Forbidden: forbidden: User "system:anonymous" cannot get path "/"')
  for (const [what, bad] of [
    ['made up', 'made-up'],
    ['cut', token.slice(0, -2)],
    ['for another audience', await tokenOf(web, 'scheduler')],
    ['of a pod that never was', await tokenOf(seenPod('shop/web-2'))],
    ['of a pod that had the name before', await tokenOf(seenPod('shop/web-1'))],
  ] as const)
    assert.equal(failure(await ask(api, '/version', { token: bad })), '401 Unauthorized: Unauthorized', what)
  assert.ok(told.some((one) => 'code' in one && one.code === 401))
  assert.ok(!JSON.stringify(told).includes(token.slice(0, -2)), 'no token is told')
  // What is no bearer token is none.
  assert.match(
    failure(await ask(api, '/api/v1/pods', { headers: { authorization: 'Basic eDp5' } })),
    /system:anonymous/,
  )
  remove('shop/web-1')
  assert.equal(
    failure(await ask(api, '/api/v1/pods', { token })),
    '401 Unauthorized: Unauthorized',
    'dead with its pod',
  )
  put(web)
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 200)
  adopt(reading.filter((one) => one !== account))
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 401, 'dead with its account')
  adopt(reading)
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 401, 'and not that of the next account of that name')
  assert.equal((await ask(api, '/api/v1/pods', { token: await tokenOf(web) })).code, 200)
})

test('an expired token', async (t) => {
  let time = Date.now()
  const { api, tokenOf, put } = await kubeWorld(t, reading, { now: () => time })
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  time += 3_599_000
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 200)
  time += 2000
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 401)
})

test('may he: what no role lists is 403 in the words of Kubernetes, and a role counts from when it is in force', async (t) => {
  const { api, tokenOf, put, adopt, told } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const me = 'User "system:serviceaccount:shop:web" cannot'
  const table: readonly [method: string, path: string, message: string][] = [
    [
      'GET',
      '/api/v1/secrets',
      `secrets is forbidden: ${me} list resource "secrets" in API group "" at the cluster scope`,
    ],
    [
      'GET',
      '/api/v1/namespaces/shop/secrets',
      `secrets is forbidden: ${me} list resource "secrets" in API group "" in the namespace "shop"`,
    ],
    [
      'GET',
      '/api/v1/namespaces/shop/secrets/x',
      `secrets "x" is forbidden: ${me} get resource "secrets" in API group "" in the namespace "shop"`,
    ],
    [
      'POST',
      '/api/v1/namespaces/shop/pods',
      `pods is forbidden: ${me} create resource "pods" in API group "" in the namespace "shop"`,
    ],
    [
      'DELETE',
      '/api/v1/namespaces/shop/pods/web-1',
      `pods "web-1" is forbidden: ${me} delete resource "pods" in API group "" in the namespace "shop"`,
    ],
    [
      'POST',
      '/api/v1/namespaces/shop/pods/web-1/exec',
      `pods "web-1" is forbidden: ${me} create resource "pods/exec" in API group "" in the namespace "shop"`,
    ],
    [
      'GET',
      '/apis/apps/v1/deployments',
      `deployments.apps is forbidden: ${me} list resource "deployments" in API group "apps" at the cluster scope`,
    ],
    [
      'PATCH',
      '/api/v1/nodes/bulkhead-worker',
      `nodes "bulkhead-worker" is forbidden: ${me} patch resource "nodes" in API group "" at the cluster scope`,
    ],
    ['GET', '/metrics', `forbidden: ${me} get path "/metrics"`],
  ]
  for (const [method, path, message] of table) {
    const answer = await ask(api, path, { token, method, ...(method !== 'GET' && { body: '{}' }) })
    assert.equal(failure(answer), `403 Forbidden: ${message}`)
  }
  const { details } = json(await ask(api, '/apis/apps/v1/namespaces/shop/deployments/x', { token }))
  assert.deepEqual(details, { name: 'x', group: 'apps', kind: 'deployments' })
  assert.ok(told.some((one) => 'user' in one && one.user === 'system:serviceaccount:shop:web'))
  const as = { token, headers: { 'impersonate-user': 'system:admin' } }
  assert.equal(
    failure(await ask(api, '/api/v1/pods', as)),
    `403 Forbidden: users "system:admin" is forbidden: ${me} impersonate resource "users" in API group "" at the cluster scope`,
  )
  adopt([account])
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 403)
  adopt(reading)
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 200)
})

test('what is allowed and not served is said so, and nothing is written', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, everything)
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const get = (path: string, more: object = {}) => ask(api, path, { token, ...more })
  assert.equal(
    failure(await get('/api/v1/secrets')),
    '404 NotFound: the server could not find the requested resource (list secrets): the local target serves pods and nodes, to be read',
  )
  assert.match(failure(await get('/api/v1/namespaces/shop/pods/web-1/log')), /^404 NotFound: .*\(get pods\/log\)/)
  assert.match(failure(await get('/api/v2/pods')), /^404 NotFound/)
  assert.match(failure(await get('/api/v1/namespaces/shop/nodes')), /^404 NotFound/)
  assert.match(failure(await get('/api/v1/pods/web-1')), /^404 NotFound/)
  assert.equal(failure(await get('/api/v1/namespaces/shop/pods/nobody')), '404 NotFound: pods "nobody" not found')
  assert.match(
    failure(await get('/api/v1/pods', { headers: { 'impersonate-user': 'x' } })),
    /^404 NotFound: .*impersonate/,
  )
  for (const method of ['POST', 'DELETE'])
    assert.match(failure(await get('/api/v1/namespaces/shop/pods', { method, body: '{}' })), /^405 MethodNotAllowed/)
  assert.equal((await get('/api/v1/namespaces/shop/pods/web-1')).code, 200)
  const nothing = await get('/nothing')
  assert.deepEqual([nothing.code, nothing.text], [404, '404 page not found\n'])
  assert.match(failure(await get('/version', { method: 'POST' })), /^405/)
})

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

test('it ends with everything that is open, and is not there any more', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const watched = await watch(t, api, '/api/v1/pods?watch=true', { token: await tokenOf(web) })
  await eventually('it has begun', () => watched.lines().length === 1)
  await api.close()
  await eventually('it ends', () => watched.ended())
  await assert.rejects(api.dial(), { code: 'ECONNREFUSED' })
})

test('bytes that are no request hurt nobody', async (t) => {
  const { api, tokenOf, put } = await kubeWorld(t, reading)
  const web = seenPod('shop/web-1')
  put(web)
  const token = await tokenOf(web)
  const head = `GET /api/v1/pods HTTP/1.1\r\nhost: x\r\n`
  const plain: readonly Buffer[] = [
    Buffer.from(`${head}authorization: Bearer ${token}\r\n\r\n`),
    randomBytes(5000),
    Buffer.from([0x16, 3, 1, 0xff, 0xff, 1]),
    Buffer.alloc(0),
  ]
  for (const bytes of plain) {
    const wire = await api.dial()
    wire.end(bytes)
    const said = await text(wire).catch(() => '')
    assert.ok(!said.includes('HTTP/1.1 200') && !said.includes('PodList'), 'nothing is answered without TLS')
  }
  const overTls: readonly [bytes: string, answer: RegExp][] = [
    ['no HTTP\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`${head}x: ${'x'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      `GET /api/v1/pods?${'labelSelector=a&'.repeat(500)} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
      /^HTTP\/1\.1 403 /,
    ],
    [
      'GET /%00/../api/v1/namespaces/%2e%2e/secrets HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      /^HTTP\/1\.1 403 /,
    ],
    ['GET /api/v1/pods/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    [`${head}authorization: Bearer ${'a.'.repeat(3000)}\r\nconnection: close\r\n\r\n`, /^HTTP\/1\.1 401 /],
    ['POST /api/v1/pods HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', /^HTTP\/1\.1 40[03] /],
  ]
  for (const [bytes, answer] of overTls) {
    const secure = connect({ socket: await api.dial(), ca: api.rootCa, servername: 'kubernetes' })
    secure.write(bytes)
    assert.match(await text(secure), answer, bytes.slice(0, 60))
  }
  assert.equal((await ask(api, '/api/v1/pods', { token })).code, 200)
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
