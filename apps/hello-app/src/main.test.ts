import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Child, ENOUGH, load, underLoad } from '@bulkhead/service-kit/testing'
import { playing, row, WELCOME } from './testing/fake-postgres.js'
import { tcpServer } from './testing/servers.js'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

const start = (t: TestContext, env: Record<string, string> = {}): Child =>
  new Child(t, MAIN, { LISTEN_ADDR: '127.0.0.1:0', DB_HOST: '127.0.0.1', SHUTDOWN_DELAY: '100ms', ...env })

test('SIGTERM under load: what was taken in is answered, the pool is closed, and the process ends with 0', async (t) => {
  const greeting = row('Hello from PostgreSQL')
  const postgres = await tcpServer(t, playing(WELCOME, ...Array<Buffer>(50).fill(greeting)))
  const child = start(t, { DB_PORT: String(postgres.port) })
  const port = await child.port()
  assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200)
  assert.equal(postgres.open(), 1, 'a connection is kept')
  const asked = underLoad(() => child.process.kill('SIGTERM'))
  const sent = await load(port, 4, '/health', ({ close }) => {
    asked()
    return !close
  })
  assert.equal(await child.exited, 0)
  assert.ok(sent.length >= ENOUGH)
  assert.deepEqual(
    sent.filter(({ result }) => result !== 'answered'),
    [],
  )
  assert.equal(postgres.open(), 0)
  assert.equal(child.lines.at(-1)?.msg, 'stopped')
})

test('a configuration that cannot be ends with 78 and a sentence each', async (t) => {
  const child = start(t, { DB_PORT: 'x', DB_SSLMODE: 'no-verify' })
  assert.equal(await child.exited, 78)
  assert.equal(
    child.stderr,
    'invalid env var DB_PORT="x" (it must be a whole number)\ninvalid env var DB_SSLMODE="no-verify" (it must be disable or verify-full)\n',
  )
})

test('at start, the configuration once, without the password', async (t) => {
  const child = start(t, { DB_PASSWORD: 'not-in-the-log' })
  await child.port()
  const [line, ...more] = child.lines.filter(({ msg }) => msg === 'starting')
  assert.equal((line?.config as Record<string, string> | undefined)?.DB_PASSWORD, '[redacted]')
  assert.deepEqual(more, [])
  assert.doesNotMatch(JSON.stringify(child.lines), /not-in-the-log/)
})
