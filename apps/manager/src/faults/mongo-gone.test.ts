import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EMPTY_ROOT } from '@bulkhead/intents'
import { eventually, type Scope, temporaryFolder } from '@bulkhead/testing'
import { podView } from '../kubernetes/memory.js'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import { startManager, type TestManager, type TestManagerOptions, testMongo } from '../testing/index.js'
import { schedulerPod } from '../testing/scheduling.js'
import { type FaultyWire, faultyWire } from '../testing/wire.js'

/** One request has one operation that waits; the rest is what a busy machine takes. */
const DEADLINE_MS = OPERATION_TIMEOUT_MS + 1_500

const SOME_ID = '0123456789abcdef01234567'
const REPORT = {
  podName: 'scheduler-1',
  startedAt: '2026-01-01T00:00:00Z',
  setVersion: 0,
  rootHash: EMPTY_ROOT,
  intents: 0,
} as const

/** Every operation of the document that asks the database, with a body that is let through as far as there. */
async function requestsOf(manager: TestManager): Promise<readonly { method: string; path: string; body: object }[]> {
  const { body } = await manager.agent.get('/openapi.json').expect(200)
  const { paths } = body as { paths: Record<string, Record<string, { responses: object }>> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { responses }]) => '503' in responses && path.startsWith('/api/'))
      .map(([method]) => ({
        method,
        path: path.replace(/\{\w+\}/g, SOME_ID),
        body: { username: 'ann', password: 'a long password', ...REPORT },
      })),
  )
}

async function all503(manager: TestManager): Promise<number> {
  const requests = await requestsOf(manager)
  const admin = manager.as(manager.admin)
  const scheduler = await manager.asScheduler(SOME_ID)
  manager.cluster.setNode({ name: SOME_ID, status: 'Ready' })
  manager.cluster.setPod(schedulerPod('scheduler-1', SOME_ID))
  await Promise.all(
    requests.map(async ({ method, path, body }) => {
      const started = performance.now()
      const as = path.startsWith('/api/v1/schedulers/') ? scheduler : admin
      // As the page asks: a login that sets a cookie has to come from there.
      const request = as[method as 'get'](path).set({ host: 'manager.test', origin: 'http://manager.test' })
      const { status, body: answer, headers } = await (method === 'get' ? request : request.send(body))
      const ms = Math.round(performance.now() - started)
      assert.equal(status, 503, `${method} ${path}`)
      assert.equal((answer as { code: string }).code, 'UNAVAILABLE')
      assert.match(String(headers['retry-after']), /^\d+$/)
      assert.ok(ms < DEADLINE_MS, `${method} ${path} took ${ms} ms`)
    }),
  )
  return requests.length
}

// They wait more than they work.
describe('the database', { concurrency: 3 }, () => {
  it('the database gone: every route says so within its deadline, and works again when it is back', async (t) => {
    const folder = temporaryFolder(t)
    const mongo = await testMongo(t, { dataDir: folder })
    const manager = await startManager(t, { mongo })
    await manager
      .as(manager.admin)
      .post('/api/v1/users')
      .send({ username: 'ann', password: 'a long password' })
      .expect(200)
    await mongo.close()
    assert.ok((await all503(manager)) >= 20)
    // What needs no database goes on, and says what is missing.
    await manager.agent.get('/health').expect(200)
    await manager.agent.get('/version').expect(200)
    await manager.agent.get('/livez').expect(200)
    const { body } = await manager.agent.get('/readyz').expect(503)
    assert.match((body as { checks: { mongodb: string } }).checks.mongodb, /^(failed|timed out)$/)

    await testMongo(t, { dataDir: folder, port: mongo.port })
    await eventually('ready again', async () => (await manager.agent.get('/readyz')).status === 200, 10_000)
    await manager.login('ann', 'a long password')
    assert.doesNotMatch(manager.lines.join(), /of the service|a long password/, 'no password is in the log')
  })

  it('a database that takes connections and does not answer is no different', async (t) => {
    // With the deadlines that it has on a cluster.
    const { manager, wire } = await wired(t, {})
    const ask = manager.as(manager.admin)
    await ask.get('/api/v1/users').expect(200)
    wire.hang()
    const started = performance.now()
    await ask.get('/api/v1/users').expect(503)
    assert.ok(performance.now() - started < DEADLINE_MS)
    await all503(manager)
    wire.heal()
    await eventually(
      'an answer',
      async () => (await manager.as(manager.admin).get('/api/v1/users')).status === 200,
      10_000,
    )
  })

  it('what is asked while the database comes and goes is done or not done, and with a key once', async (t) => {
    const { manager, wire } = await wired(t)
    manager.cluster.setPod(podView({ name: 'web', labels: { app: 'web' } }))
    const as = manager.as(manager.admin)
    const acknowledged = new Set<string>()
    const asked = new Set<string>()
    let over = false
    const users = async (client: number): Promise<void> => {
      for (let n = 0; !over; n++) {
        const username = `user-${client}-${n}`
        asked.add(username)
        const { status } = await as.post('/api/v1/users').send({ username, password: 'a long password' })
        if (status === 200) acknowledged.add(username)
        else assert.equal(status, 503)
      }
    }
    const ids = new Set<string>()
    const strategies = async (client: number): Promise<void> => {
      for (let n = 0; !over; n++) {
        // As a careful client does: again, with the same key, until it is told.
        for (;;) {
          const { status, body } = await as
            .post('/api/v1/strategies')
            .set('idempotency-key', `key-${client}-${n}`)
            .send({ labelSelectors: [{ key: 'app', value: 'web' }] })
          if (status === 201) {
            ids.add((body as { data: { id: string } }).data.id)
            break
          }
          assert.equal(status, 503)
          // One that nobody was told of is not counted.
          if (over) return
        }
      }
    }
    const clients = [users(0), users(1), strategies(2), strategies(3)]
    for (let round = 0; round < 4; round++) {
      const before = { users: acknowledged.size, strategies: ids.size }
      await eventually(
        'work done',
        () => acknowledged.size > before.users + 2 && ids.size > before.strategies + 2,
        15_000,
      )
      wire.cut(5, round % 2 === 0 ? 'before' : 'after', 'for good')
      await eventually('the cut', () => wire.commands.length > 5)
      wire.heal()
    }
    over = true
    await Promise.all(clients)
    const stored = (await manager.db.collection('users').find().toArray()).map(({ username }) => String(username))
    assert.equal(new Set(stored).size, stored.length)
    for (const username of acknowledged) assert.ok(stored.includes(username), `${username} was acknowledged`)
    for (const username of stored) assert.ok(asked.has(username) || username === manager.admin.username)
    const made = await manager.db.collection('schedule_strategies').find().toArray()
    const keys = (await manager.db.collection('idempotency_keys').find().toArray()).length
    assert.equal(made.length, keys, 'one strategy for each key')
    for (const id of ids)
      assert.ok(
        made.some(({ _id }) => _id.toHexString() === id),
        `${id} was acknowledged`,
      )
    assert.equal((await manager.db.collection('schedule_intents').find().toArray()).length, made.length)
  })
})

const quick = { heartbeatMs: 400, client: { serverSelectionTimeoutMS: 500, minHeartbeatFrequencyMS: 10 } }

async function wired(
  t: Scope,
  options: Pick<TestManagerOptions, 'client' | 'heartbeatMs'> = quick,
): Promise<{ manager: TestManager; wire: FaultyWire }> {
  let wire: FaultyWire | undefined
  const manager = await startManager(t, {
    ...options,
    through: async (port) => {
      wire = await faultyWire(t, port)
      return wire
    },
  })
  return { manager, wire: wire as FaultyWire }
}
