import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPostgres } from '@bulkhead/pocket-postgres'
import { whyNoLogin } from './login.js'

test('a Secret that the data was not made with is told, with what to do; one that fits is not mentioned', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bh-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const config = { dataDir: join(folder, 'data'), user: 'hello', password: 'old', database: 'hellodb' }
  const postgres = await startPostgres(config)
  t.after(() => postgres.stop())
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
