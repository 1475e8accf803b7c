import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import pg from 'pg'
import { type Postgres, startPostgres } from './server.js'

// Making a data folder takes most of a test's time: those that do not mind have one in common.
const common = join(temporaryFolder(wholeSuite()), 'data')

const owner = { user: 'hello', password: 'a "p\'w\\ü\n', database: 'hello db' }

async function ask(postgres: Postgres, text: string, as: Partial<pg.ClientConfig> = {}): Promise<readonly unknown[][]> {
  const client = new pg.Client({ host: postgres.host, ...owner, ...as })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows as unknown[][]
  } finally {
    await client.end()
  }
}

test('a server on a folder that is not there yet: the role, the database, and the password that is asked for', async (t) => {
  const dataDir = join(temporaryFolder(t), 'claim', '18')
  const lines: string[] = []
  const postgres = await startPostgres({ ...owner, dataDir, log: (line) => lines.push(line) })
  cleanUp(t, () => postgres.stop())
  assert.equal(postgres.fresh, true)
  assert.deepEqual(await ask(postgres, 'select current_user, current_database(), upper($$ä$$)'), [
    ['hello', 'hello db', 'Ä'],
  ])
  await assert.rejects(ask(postgres, 'select 1', { password: 'guess' }), { code: '28P01' })
  await assert.rejects(ask(postgres, 'select 1', { user: 'postgres', password: 'postgres' }), { code: '28P01' })
  await assert.rejects(ask(postgres, 'select 1', { database: 'other' }), { code: '3D000' })
  assert.match(lines.join('\n'), /password authentication failed for user "hello"/)
  assert.doesNotMatch(lines.join('\n'), /p'w/)
  const [stored] = await ask(postgres, "select rolpassword from pg_authid where rolname = 'hello'")
  assert.match(String(stored), /^SCRAM-SHA-256\$/)
})

test('nothing listens on the machine, and the socket is for its user alone', async (t) => {
  const dataDir = common
  const postgres = await startPostgres({
    ...owner,
    dataDir,
    settings: { listen_addresses: '*', max_connections: '20' },
  })
  cleanUp(t, () => postgres.stop())
  assert.deepEqual(
    await ask(postgres, 'select current_setting($$listen_addresses$$), current_setting($$max_connections$$)'),
    [['', '20']],
  )
  assert.equal(statSync(postgres.host).mode & 0o777, 0o700)
  assert.equal(statSync(dataDir).mode & 0o777, 0o700)
  assert.ok(Buffer.byteLength(postgres.socketPath) <= 103)
  await postgres.stop()
  assert.equal(existsSync(postgres.host), false)
})

test('what is committed is there at the next start; the password of the data counts, not the one that is given', async (t) => {
  const folder = temporaryFolder(t)
  const dataDir = join(folder, 'data')
  const first = await startPostgres({ ...owner, dataDir })
  cleanUp(t, () => first.stop())
  await ask(first, 'create table kept as select 42 as n')
  assert.deepEqual(await first.stop(), { code: 0, signal: null })
  const second = await startPostgres({ ...owner, dataDir, password: 'another' })
  cleanUp(t, () => second.stop())
  assert.equal(second.fresh, false)
  assert.deepEqual(await ask(second, 'select n from kept'), [[42]])
  await assert.rejects(ask(second, 'select 1', { password: 'another' }), { code: '28P01' })
  assert.deepEqual(readdirSync(folder), ['data'])
})

test('two servers on one folder: the second is refused, and the first goes on', async (t) => {
  const dataDir = common
  const first = await startPostgres({ ...owner, dataDir })
  cleanUp(t, () => first.stop())
  await assert.rejects(startPostgres({ ...owner, dataDir }), {
    code: 'data-folder',
    message: /another PostgreSQL runs on/,
  })
  assert.deepEqual(await ask(first, 'select 1'), [[1]])
})

test('a setting that PostgreSQL does not know is told in its own words', async () => {
  const dataDir = common
  await assert.rejects(startPostgres({ ...owner, dataDir, settings: { no_such: '1' } }), {
    code: 'failed',
    message: /unrecognized configuration parameter "no_such"/,
  })
  for (const wrong of [
    { user: '' },
    { user: 'pg_x' },
    { database: 'x'.repeat(64) },
    { password: '' },
    { user: 'a\nb' },
  ]) {
    await assert.rejects(startPostgres({ ...owner, dataDir: `${dataDir}-none`, ...wrong }), { code: 'bad-option' })
  }
})

test('a temporary folder with any name will do, and one that is too deep for a socket is gone round', async (t) => {
  const before = process.env.TMPDIR
  cleanUp(t, () => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  const folder = temporaryFolder(t)
  const dataDir = common
  const odd = join(folder, 'a, "b')
  const deep = join(folder, 'x'.repeat(80))
  for (const [tmp, wanted] of [
    [odd, odd],
    [deep, '/tmp'],
  ] as const) {
    mkdirSync(tmp)
    process.env.TMPDIR = tmp
    const postgres = await startPostgres({ ...owner, dataDir })
    cleanUp(t, () => postgres.stop())
    assert.equal(dirname(postgres.host), wanted)
    assert.deepEqual(await ask(postgres, 'select 1'), [[1]])
    await postgres.stop()
  }
})
