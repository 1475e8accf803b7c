import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { account, everything, failure, json, list, names, reading } from '../testing/kube-answers.js'
import { ask, kubeWorld, seenPod, watch } from '../testing/kube-source.js'

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

test("the token in a pod's volume is renewed while the pod is there; the old one is good until its time is over", async (t) => {
  const { api, put } = await kubeWorld(t, reading, { renewAfter: 0.0001 })
  const web = seenPod('shop/web-1')
  put(web)
  const { namespace, name, node, serviceAccount } = web.pod
  const file = join(temporaryFolder(t), 'token')
  const bound = { namespace, name, uid: web.uid, node, serviceAccount }
  const stop = await api.tokenFiles.keep(bound, [{ file, expirationSeconds: 600 }])
  cleanUp(t, stop)
  const first = readFileSync(file, 'utf8')
  await eventually('another one', () => readFileSync(file, 'utf8') !== first)
  const second = readFileSync(file, 'utf8')
  for (const token of [first, second]) assert.equal((await ask(api, '/api/v1/pods', { token })).code, 200)
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
    [
      'GET',
      '/api/v1/namespaces/shop/pods/web-1/log',
      `pods "web-1" is forbidden: ${me} get resource "pods/log" in API group "" in the namespace "shop"`,
    ],
    [
      'PUT',
      '/api/v1/namespaces/shop/pods/web-1/status',
      `pods "web-1" is forbidden: ${me} update resource "pods/status" in API group "" in the namespace "shop"`,
    ],
    [
      'DELETE',
      '/api/v1/namespaces/shop/pods',
      `pods is forbidden: ${me} deletecollection resource "pods" in API group "" in the namespace "shop"`,
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
