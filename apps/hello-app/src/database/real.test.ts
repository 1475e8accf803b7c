import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createRelay, type Postgres, startPostgres } from '@bulkhead/pocket-postgres'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import request from 'supertest'
import { outsideThatIs, startApp } from '../testing/app.js'
import { type DatabaseConfig, readDatabaseUrl } from './config.js'
import { Database } from './database.js'

const OWNER = { user: 'hello', password: 'a p@ss/word', database: 'hellodb' }

async function startOwn(t: TestContext, dataDir = join(temporaryFolder(t), 'data')): Promise<Postgres> {
  const postgres = await startPostgres({ ...OWNER, dataDir })
  cleanUp(t, () => postgres.stop())
  return postgres
}

const configOf = (postgres: Postgres): DatabaseConfig => ({
  ...OWNER,
  host: postgres.host,
  port: 5432,
  sslmode: 'disable',
})

function open(t: TestContext, config: DatabaseConfig): { database: Database; lost: string[] } {
  const lost: string[] = []
  const database = new Database(config, { onLost: (error) => lost.push(error.message) })
  cleanUp(t, () => database.close())
  return { database, lost }
}

/** A real PostgreSQL of this repository's; and another one, where TEST_DATABASE_URL names it. */
async function each(t: TestContext, examine: (config: DatabaseConfig) => Promise<void>): Promise<void> {
  await examine(configOf(await startOwn(t)))
  const url = process.env.TEST_DATABASE_URL
  if (url) await examine(readDatabaseUrl(url))
  else t.diagnostic('TEST_DATABASE_URL is not set: only the PostgreSQL of packages/pocket-postgres was asked')
}

test('a real PostgreSQL: the greeting, a wrong password, a database that is not there', async (t) => {
  await each(t, async (config) => {
    const ask = async (other: Partial<DatabaseConfig>) => (await open(t, { ...config, ...other }).database.run()).code
    assert.equal(await ask({}), 'connected')
    assert.equal(await ask({ password: 'guess' }), 'db-auth-failed')
    assert.equal(await ask({ password: '' }), 'db-auth-failed')
    assert.equal(await ask({ user: 'nobody-of-that-name' }), 'db-auth-failed')
    assert.equal(await ask({ database: 'no_such_database' }), 'db-unknown-database')
  })
})

test('stopped, and started again: said each time, and the app lives on', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data')
  const first = await startOwn(t, dataDir)
  // The address stays while what is behind it goes and comes, as a Service's does.
  let current = first
  const listener = createServer((client) => relays.get(current)?.emit('connection', client))
  const relays = new Map([[first, createRelay(first.socketPath)]])
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => listener.close())
  const { port } = listener.address() as { port: number }
  const { database, lost } = open(t, { ...configOf(first), host: '127.0.0.1', port })

  assert.equal((await database.run()).code, 'connected')
  await first.stop()
  await eventually('the kept connection was told', () => lost.length === 1)
  assert.match(lost[0] ?? '', /terminating connection|terminated/)
  assert.equal((await database.run()).code, 'reset')

  current = await startOwn(t, dataDir)
  relays.set(current, createRelay(current.socketPath))
  assert.equal((await database.run()).code, 'connected')
})

test('the page and the probe follow a real database', async (t) => {
  const postgres = await startOwn(t)
  const outside = [outsideThatIs('github', 'connected', 200)]
  const url = `postgresql://hello:${encodeURIComponent(OWNER.password)}@/hellodb?host=${postgres.host}`
  const { service } = await startApp(t, { DATABASE_URL: url, CHECK_CACHE: '1s' }, { outside })
  const get = (path: string) => request(service.server).get(path)
  assert.equal((await get('/readyz')).status, 200)
  assert.match(
    (await get('/')).text,
    /<span class="pill success">Connected<\/span>\s*<\/div>\s*<p class="says">Hello from PostgreSQL/,
  )
  await postgres.stop()
  await eventually('not ready', async () => (await get('/readyz')).status === 503)
  await eventually('disconnected', async () => /pill error">Disconnected/.test((await get('/')).text))
  assert.equal((await get('/health')).status, 200)
})
