import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Child } from '@bulkhead/service-kit/testing'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'
import { FakeApi } from './kubernetes/testing/fake-api.js'
import { ROOT, type TestMongo, testMongo } from './testing/mongo.js'

const program = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))
const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
})
const ADMIN_PASSWORD = 'of the first admin'

interface Scene {
  readonly mongo: TestMongo
  readonly env: Record<string, string>
  readonly kubernetes: FakeApi
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = temporaryFolder(t)
  const mongo = await testMongo(t, { dataDir: join(folder, 'data'), initiated: false })
  const kubernetes = await FakeApi.start(t)
  const kubeConfig = join(folder, 'kubeconfig')
  writeFileSync(
    kubeConfig,
    JSON.stringify({
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: kubernetes.access.server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token: 'a-token' } }],
    }),
  )
  const env = {
    MANAGER_SERVER_HOST: '127.0.0.1:0',
    MANAGER_MONGODB_HOST: '127.0.0.1',
    MANAGER_MONGODB_PORT: String(mongo.port),
    MANAGER_MONGODB_PASSWORD: 'not to be told',
    MANAGER_KEY_RSA_PRIVATE_KEY_PEM: String(privateKey),
    MANAGER_ACCOUNT_ADMIN_PASSWORD: ADMIN_PASSWORD,
    MANAGER_K8S_IN_CLUSTER: 'false',
    MANAGER_K8S_KUBE_CONFIG_PATH: kubeConfig,
    SHUTDOWN_DELAY: '10ms',
  }
  return { mongo, env, kubernetes }
}

const migrated = async (t: TestContext, { env }: Scene): Promise<Child> => {
  const child = new Child(t, program('migrate'), { ...env, MANAGER_MONGODB_ROOT_PASSWORD: ROOT.password })
  assert.equal(await child.exited, 0, child.stderr)
  return child
}

async function ask(url: string, path: string, body?: object, token?: string) {
  const response = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as { data?: { token: string } } }
}

const login = async (url: string): Promise<string> => {
  const { body } = await ask(url, '/api/v1/auth/login', { username: 'admin@example.com', password: ADMIN_PASSWORD })
  return body.data?.token ?? ''
}

async function started(t: TestContext, { env }: Scene): Promise<{ child: Child; url: string }> {
  const child = new Child(t, program('main'), env)
  const url = `http://127.0.0.1:${await child.port()}`
  await eventually('ready', async () => (await ask(url, '/readyz')).status === 200, 15_000)
  return { child, url }
}

// They wait for processes, each for its own.
describe('the programs', { concurrency: 2 }, () => {
  it('as a pod does: migrations, the start, a first login, the end; no secret is in any line', async (t) => {
    const at = await scene(t)
    const migration = await migrated(t, at)
    assert.ok(migration.lines.some(({ msg }) => msg === 'the replica set rs0 has been made'))
    const again = await migrated(t, at)
    assert.ok(!again.lines.some(({ msg }) => /^migration/.test(msg)), 'nothing is left to do')

    const { child, url } = await started(t, at)
    const token = await login(url)
    assert.equal((await ask(url, '/api/v1/users', undefined, token)).status, 200)
    child.process.kill('SIGTERM')
    assert.equal(await child.exited, 0)
    assert.equal(child.lines.at(-1)?.msg, 'stopped')
    const said = JSON.stringify([...migration.lines, ...again.lines, ...child.lines]) + child.stderr
    for (const secret of ['not to be told', ADMIN_PASSWORD, ROOT.password, 'PRIVATE KEY', 'a-token', token])
      assert.ok(!said.includes(secret), secret)
  })

  it('without the migrations it ends, and says what to run', async (t) => {
    const at = await scene(t)
    const root = new MongoClient(at.mongo.rootUri)
    cleanUp(t, () => root.close())
    await root.db('admin').command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: '127.0.0.1:27017' }] } })
    await root.db('manager').command({ createUser: 'manager', pwd: 'not to be told', roles: ['readWrite'] })
    const child = new Child(t, program('main'), at.env)
    assert.equal(await child.exited, 1)
    assert.match(
      child.stderr,
      /^cannot start: the database is at version 0, .*: run the migrations first \(migrate\.js\)\n$/,
    )
  })

  it('settings that are wrong end it with 78 and a sentence each', async (t) => {
    const child = new Child(t, program('main'), { MANAGER_MONGODB_PASSWORD: 'x', MANAGER_MONGODB_PORT: 'none' })
    assert.equal(await child.exited, 78)
    assert.deepEqual(child.stderr.trim().split('\n').sort(), [
      'invalid env var MANAGER_ACCOUNT_ADMIN_PASSWORD (it is not set, and it has no default)',
      'invalid env var MANAGER_KEY_RSA_PRIVATE_KEY_PEM (it is not set, and it has no default)',
      'invalid env var MANAGER_MONGODB_PORT="none" (it must be a whole number)',
    ])
  })

  it('killed in the middle of its work, what it acknowledged is there, once, and the next one goes on', async (t) => {
    const at = await scene(t)
    await migrated(t, at)
    const acknowledged: string[] = []
    for (let round = 0; round < 2; round++) {
      const { child, url } = await started(t, at)
      const token = await login(url)
      let over = false
      const clients = [0, 1, 2, 3].map(async (client) => {
        for (let n = 0; !over; n++) {
          const username = `user-${round}-${client}-${n}`
          const done = await ask(url, '/api/v1/users', { username, password: 'a long password' }, token).catch(
            () => undefined,
          )
          if (done?.status === 200) acknowledged.push(username)
          if (done === undefined) return
        }
      })
      const before = acknowledged.length
      await eventually('some work', () => acknowledged.length > before + 10, 20_000)
      child.process.kill('SIGKILL')
      over = true
      await Promise.all(clients)
      await child.exited
    }
    const root = new MongoClient(at.mongo.rootUri)
    cleanUp(t, () => root.close())
    const stored = (await root.db('manager').collection('users').find().toArray()).map(({ username }) => username)
    assert.equal(new Set(stored).size, stored.length)
    assert.deepEqual(
      acknowledged.filter((username) => !stored.includes(username)),
      [],
    )
    assert.equal(stored.filter((username) => username === 'admin@example.com').length, 1)
  })
})
