import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { cleanUp } from '@bulkhead/testing'
import { makeAttempt } from '../attempt.js'
import { postgresServer } from '../testing/postgres-server.js'
import { closedPort, onRequest, tcpServer } from '../testing/servers.js'

const passwordFrom = { secret: 'demo/s', key: 'password' }

function attempt(port: number, changes: Partial<ResolvedAttempt> = {}, onHeld?: () => void): Promise<Observation> {
  return makeAttempt(
    {
      kind: 'postgres',
      to: { service: 'demo/postgres' },
      host: '127.0.0.1',
      port,
      timeoutMs: 2000,
      postgres: { user: 'app', database: 'shop', passwordFrom },
      password: 'secret pass=word,',
      ...changes,
    },
    onHeld,
  )
}

describe('a login at Postgres', () => {
  it('proves the password, asks its question and brings the answer', async (t) => {
    const told: string[] = []
    const port = await tcpServer(t, postgresServer('secret pass=word,', 'Hello from PostgreSQL', told))
    const seen = await attempt(port)
    assert.deepEqual([seen.symptom, seen.detail], ['ok', { login: true, text: 'Hello from PostgreSQL' }])
    assert.ok(seen.bytes > 0 && seen.timings.connect !== undefined && seen.timings.firstByte !== undefined)
    assert.match(told[0] ?? '', /user app database shop/)
    assert.deepEqual(told.slice(1), ["select 'Hello from PostgreSQL' as text"])
  })

  it('that is refused is an answer all the same, and says so, and shows no password', async (t) => {
    const told: string[] = []
    const seen = await attempt(await tcpServer(t, postgresServer('another', 'x', told)))
    assert.equal(seen.symptom, 'ok')
    assert.deepEqual(seen.detail, { login: false, sqlstate: '28P01', message: 'password authentication failed' })
    assert.deepEqual(told.slice(1), ['refused'])
    assert.doesNotMatch(JSON.stringify(seen), /secret pass/)
  })

  it('takes nothing of the environment', async (t) => {
    process.env.PGUSER = 'somebody'
    cleanUp(t, () => delete process.env.PGUSER)
    const told: string[] = []
    const port = await tcpServer(t, postgresServer('p', 'x', told))
    await attempt(port, { postgres: { passwordFrom }, password: 'p' })
    assert.match(told[0] ?? '', /user postgres database postgres/)
  })

  it('holds its connection until the far side ends it', async (t) => {
    const open: Socket[] = []
    const serve = postgresServer('p', 'x')
    const port = await tcpServer(t, (socket) => {
      open.push(socket)
      serve(socket)
    })
    const seen = await attempt(port, { password: 'p', hold: true }, () => open[0]?.destroy())
    assert.deepEqual([seen.symptom, seen.phase, open.length], ['reset', 'held', 1])
  })

  const failures: readonly [name: string, serve: (socket: Socket) => void, symptom: string][] = [
    ['a reset', onRequest((socket) => socket.resetAndDestroy()), 'reset'],
    ['an end', onRequest((socket) => socket.end()), 'reset'],
    ['a late end', onRequest((socket) => setTimeout(() => socket.end(), 60)), 'late-reset'],
    ['silence', () => {}, 'no-answer'],
    ['a server that is no Postgres', onRequest((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')), 'ok'],
  ]
  for (const [name, serve, symptom] of failures) {
    it(`sees ${name}`, async (t) => {
      const seen = await attempt(await tcpServer(t, serve), { timeoutMs: 300, lateResetMs: 50 })
      assert.deepEqual([seen.symptom, seen.detail], [symptom, undefined])
    })
  }

  it('is refused where nothing listens', async () => {
    assert.equal((await attempt(await closedPort())).symptom, 'refused')
  })

  it('without a password cannot be made', async () => {
    const { password: _, ...rest } = { password: '', kind: 'postgres' as const }
    const made = makeAttempt({
      ...rest,
      to: { ip: '127.0.0.1' },
      host: '127.0.0.1',
      port: 1,
      postgres: { passwordFrom },
    })
    await assert.rejects(made, { code: 'NO_MATERIAL', message: /needs "password"/ })
  })
})
