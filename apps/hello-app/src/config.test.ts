import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@bulkhead/service-kit'
import { readHelloConfig } from './config.js'

const problems = (env: Record<string, string>): readonly string[] => {
  try {
    readHelloConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('without any variable: as the contract says', () => {
  const { config } = readHelloConfig({})
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 8000 })
  assert.deepEqual(config.database, {
    host: 'postgres',
    port: 5432,
    user: 'hello',
    password: 'hello',
    database: 'hellodb',
    sslmode: 'disable',
  })
  assert.equal(config.CHECK_CACHE, 10_000)
})

test('DB_ variables; DATABASE_URL wins over all of them; PORT over the port of LISTEN_ADDR', () => {
  const db = { DB_HOST: 'a', DB_PORT: '1', DB_USER: 'b', DB_PASSWORD: 'c', DB_NAME: 'd', DB_SSLMODE: 'require' }
  assert.deepEqual(readHelloConfig(db).config.database, {
    host: 'a',
    port: 1,
    user: 'b',
    password: 'c',
    database: 'd',
    sslmode: 'verify-full',
  })
  const { database, listen } = readHelloConfig({
    ...db,
    DATABASE_URL: 'postgres://x:y@z/w',
    LISTEN_ADDR: '127.0.0.1:1',
    PORT: '9',
  }).config
  assert.deepEqual([database.host, database.sslmode, database.password], ['z', 'disable', 'y'])
  assert.deepEqual(listen, { host: '127.0.0.1', port: 9 })
})

test('what is logged at start holds no password', () => {
  const { effective } = readHelloConfig({ DB_PASSWORD: 'secret', DATABASE_URL: 'postgres://x:secret@z/w' })
  assert.doesNotMatch(JSON.stringify(effective), /secret/)
})

test('bad values, all at once, without their secrets', () => {
  assert.deepEqual(
    problems({ PORT: 'x', DB_SSLMODE: 'prefer', CHECK_CACHE: '1ms', DATABASE_URL: 'http://u:secret@h' }),
    [
      'invalid env var PORT="x" (it must be a port, from 0 to 65535)',
      'invalid env var DB_SSLMODE="prefer" (prefer lets whoever is in between choose plaintext; take disable (inside the mesh, which encrypts) or verify-full)',
      'invalid env var DATABASE_URL=[redacted] (it must be a URL, as in postgresql://user:password@host:5432/database?sslmode=verify-full)',
      'invalid env var CHECK_CACHE="1ms" (it must be from 1s to 5m)',
    ],
  )
  assert.deepEqual(problems({ CHECK_CACHE: 'soon' }).length, 1)
})
