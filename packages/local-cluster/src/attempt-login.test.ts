import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import type { Snapshot } from '@bulkhead/verdict'
import { compile } from '@bulkhead/verdict'
import { loginAt } from './attempt-login.js'
import { pod } from './testing.js'

const manager = { ...pod, key: 'gthulhu/gthulhu-manager-1', workload: 'gthulhu/gthulhu-manager', namespace: 'gthulhu' }
const snapshot: Snapshot = { ...compile([]), pods: new Map([[manager.key, manager]]) }

/** A manager of one user, and the way to it; `asked` is what came. */
async function started(t: TestContext) {
  const asked: { path: string | undefined; body: string }[] = []
  let given = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ path: request.url, body })
      const { username, password } = JSON.parse(body) as { username: string; password: string }
      if (username === 'broken') response.writeHead(503).end('no database')
      else if (password !== 'right') response.writeHead(401).end('{"success":false}')
      else response.end(JSON.stringify({ success: true, data: { token: `token ${++given}` } }))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  const { port } = server.address() as AddressInfo
  const mesh = {
    listening: (key: string) => (key === manager.key ? [8080] : []),
    dialAsKubelet: async () => connect(port, '127.0.0.1'),
  }
  return { asked, mesh }
}

test('a token is asked for once, as its user asks, and kept', async (t) => {
  const { asked, mesh } = await started(t)
  const host = { mesh, snapshot }
  const tokens = await Promise.all([loginAt(host, 'a@b.c', 'right'), loginAt(host, 'a@b.c', 'right')])
  assert.deepEqual([...tokens, await loginAt(host, 'a@b.c', 'right')], ['token 1', 'token 1', 'token 1'])
  assert.deepEqual(asked, [{ path: '/api/v1/auth/login', body: '{"username":"a@b.c","password":"right"}' }])
  assert.equal(await loginAt(host, 'other@b.c', 'right'), 'token 2')
  // Another run of a target has a manager of its own.
  assert.equal(await loginAt({ mesh: { ...mesh }, snapshot }, 'a@b.c', 'right'), 'token 3')
})

test('a password that somebody has changed, a manager that is ill and one that is not there: none, and why', async (t) => {
  const { asked, mesh } = await started(t)
  const changed = { code: 'bad-attempt', message: /does not take the password .* for a@b.c; somebody has changed it/ }
  await assert.rejects(loginAt({ mesh, snapshot }, 'a@b.c', 'wrong'), changed)
  // Tried again, and not remembered; and the password is in no message.
  await assert.rejects(loginAt({ mesh, snapshot }, 'a@b.c', 'wrong'), (error) => !String(error).includes('wrong'))
  assert.equal(asked.length, 2)
  await assert.rejects(loginAt({ mesh, snapshot }, 'broken', 'right'), { message: /no token .* it answered 503/ })
  const nowhere = { mesh: { ...mesh, listening: () => [] }, snapshot }
  await assert.rejects(loginAt(nowhere, 'a@b.c', 'right'), { message: /no pod of gthulhu\/gthulhu-manager is up/ })
  const closed = { mesh: { ...mesh, dialAsKubelet: () => Promise.reject(new Error('ECONNREFUSED')) }, snapshot }
  await assert.rejects(loginAt(closed, 'a@b.c', 'right'), { message: /no token of the manager to steal: ECONNREFUSED/ })
})
