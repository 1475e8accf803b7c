import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import pg from 'pg'
import { startPostgres } from './server.js'

const owner = { user: 'hello', password: 'right', database: 'hellodb' }

/** A process that starts a server on the folder, and then runs the text with `postgres` and `pg`. */
function starter(
  t: TestContext,
  dataDir: string,
  text: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  const code = `
    import pg from ${JSON.stringify(import.meta.resolve('pg'))}
    import { startPostgres } from ${JSON.stringify(import.meta.resolve('./server.js'))}
    const postgres = await startPostgres(${JSON.stringify({ ...owner, dataDir })})
    ${text}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  cleanUp(t, () => killed(child))
  return child
}

/** What still runs of the programs that were given the folder: `initdb` and its draft, the server. */
const processesOf = (folder: string): readonly string[] =>
  execFileSync('ps', ['-axww', '-o', 'command='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`-D ${folder}`) && !line.includes('--input-type'))

test('a start that is killed half way leaves nothing that runs, and the next one begins anew', async (t) => {
  const folder = temporaryFolder(t)
  const dataDir = join(folder, 'data')
  for (const ms of [150, 300, 450, 600]) {
    const child = starter(t, dataDir, '')
    const exited = once(child, 'exit')
    await delay(ms)
    child.kill('SIGKILL')
    await exited
    await eventually('nothing of it runs', () => processesOf(folder).length === 0)
  }
  const postgres = await startPostgres({ ...owner, dataDir })
  cleanUp(t, () => postgres.stop())
  const client = new pg.Client({ host: postgres.host, ...owner })
  await client.connect()
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  await client.end()
  assert.deepEqual(readdirSync(folder), ['data'])
})

test('what was acknowledged is there after its starter was killed, time and again', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data')
  const sockets = temporaryFolder(t)
  const insert = `
    const client = new pg.Client({ host: postgres.host, ...${JSON.stringify(owner)} })
    await client.connect()
    await client.query('create table if not exists kept (n serial)')
    for (;;) console.log((await client.query('insert into kept default values returning n')).rows[0].n)`
  let last = 0
  let lines = 0
  for (let round = 0; round < 4; round++) {
    const child = starter(t, dataDir, insert, { TMPDIR: sockets })
    assert.ok(child.stdout)
    const exited = once(child, 'exit')
    const enough = lines + 20 + round * 7
    for await (const line of createInterface({ input: child.stdout })) {
      last = Math.max(last, Number(line))
      if (++lines === enough) child.kill('SIGKILL')
    }
    await exited
    await eventually('the server is gone', () => processesOf(dataDir).length === 0)
    await eventually('its socket is gone', () => readdirSync(sockets).length === 0)
  }
  const postgres = await startPostgres({ ...owner, dataDir })
  cleanUp(t, () => postgres.stop())
  assert.equal(postgres.fresh, false)
  const client = new pg.Client({ host: postgres.host, ...owner })
  await client.connect()
  const { rows } = await client.query('select count(*)::int as rows, max(n) as last from kept')
  await client.end()
  assert.ok(lines >= 80 && rows[0].rows >= lines && rows[0].last >= last, JSON.stringify({ lines, last, ...rows[0] }))
})

test('a server that is killed itself is told as ended, and its sessions end', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data')
  const postgres = await startPostgres({ ...owner, dataDir })
  cleanUp(t, () => postgres.stop())
  const client = new pg.Client({ host: postgres.host, ...owner })
  await client.connect()
  client.on('error', () => undefined)
  const lost = new Promise((resolve) => client.once('end', resolve))
  process.kill(postgres.pid, 'SIGKILL')
  assert.deepEqual(await postgres.ended, { code: null, signal: 'SIGKILL' })
  await lost
  const again = await startPostgres({ ...owner, dataDir })
  assert.deepEqual(await again.stop(), { code: 0, signal: null })
})
