import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPostgres } from '@bulkhead/pocket-postgres'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { whyNoLogin } from './login.js'

test('a Secret that the data was not made with is told, with what to do; one that fits is not mentioned', async (t) => {
  const folder = temporaryFolder(t)
  const config = { dataDir: join(folder, 'data'), user: 'hello', password: 'old', database: 'hellodb' }
  const postgres = await startPostgres(config)
  cleanUp(t, () => postgres.stop())
  const said = (change: object) => whyNoLogin(postgres.host, { ...config, ...change })
  assert.equal(await said({}), undefined)
  const changed = await said({ password: 'new value' })
  assert.match(changed ?? '', /knows another password, or no user "hello".*ALTER ROLE.*up --fresh/)
  assert.ok(!changed?.includes('new value'))
  assert.match((await said({ user: 'other' })) ?? '', /no user "other"/)
  assert.match((await said({ database: 'other' })) ?? '', /has no database "other".*CREATE DATABASE/)
  await postgres.stop()
  assert.equal(await said({}), undefined)
})
