import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventually, type Scope } from '@bulkhead/testing'
import { type MongoClientOptions, ObjectId } from 'mongodb'
import { podView } from '../kubernetes/memory.js'
import type { IntentDoc, StrategyDoc } from '../store/documents.js'
import { startManager, type TestManager } from '../testing/index.js'
import { type Cut, type FaultyWire, faultyWire } from '../testing/wire.js'

/*
 * The wire to the database is cut at every command of every change: before the server has seen it, and after it has done
 * it. Cut for good, it is for the database as if the service had been killed at that moment; cut once, the driver asks again.
 */

const PODS = 3

interface Scene {
  readonly manager: TestManager
  readonly wire: FaultyWire
}

/** Shorter waits than on a cluster: what is tested is what is left, not how long it takes. */
const impatient = { serverSelectionTimeoutMS: 300, connectTimeoutMS: 300, minHeartbeatFrequencyMS: 10 }
const patient = { minHeartbeatFrequencyMS: 10 }

async function scene(t: Scope, client: MongoClientOptions): Promise<Scene> {
  let wire: FaultyWire | undefined
  const manager = await startManager(t, {
    heartbeatMs: 400,
    client,
    through: async (port) => {
      wire = await faultyWire(t, port)
      return wire
    },
  })
  for (let n = 0; n < PODS; n++) manager.cluster.setPod(podView({ name: `pod-${n}`, labels: { app: 'web' } }))
  return { manager, wire: wire as FaultyWire }
}

const criteria = { labelSelectors: [{ key: 'app', value: 'web' }], priority: 1 }

async function create({ manager }: Scene): Promise<string> {
  const { body } = await manager.as(manager.admin).post('/api/v1/strategies').send(criteria).expect(201)
  return (body as { data: { id: string } }).data.id
}

/** What every state has to be, whatever happened: a strategy with all of its intents, as it is now, or no intents. */
async function problemsOf({ manager: { db } }: Scene): Promise<readonly string[]> {
  const strategies = await db.collection<StrategyDoc>('schedule_strategies').find().toArray()
  const intents = await db.collection<IntentDoc>('schedule_intents').find().toArray()
  const problems: string[] = []
  for (const { _id, priority } of strategies) {
    const own = intents.filter(({ strategyID }) => strategyID.equals(_id))
    if (own.length !== PODS) problems.push(`${_id.toHexString()} has ${own.length} intents`)
    if (own.some((intent) => intent.priority !== priority))
      problems.push(`${_id.toHexString()} has intents of another version`)
  }
  const known = new Set(strategies.map(({ _id }) => _id.toHexString()))
  for (const { strategyID } of intents)
    if (!known.has(strategyID.toHexString())) problems.push(`intent of ${strategyID.toHexString()}, which is not there`)
  return problems
}

/** Waits until the service has found its database again. */
const answers = ({ store }: TestManager): Promise<true> =>
  eventually('the database', () =>
    store.ping().then(
      () => true as const,
      () => false,
    ),
  )

interface Change {
  readonly name: string
  /** What has to be there before. */
  readonly before?: (scene: Scene) => Promise<string>
  readonly ask: (scene: Scene, id: string) => PromiseLike<{ readonly status: number }>
  /** Whether it has been done; for each, a strategy of its own. */
  readonly done: (scene: Scene, id: string, before: number) => Promise<boolean>
}

const count = async ({ manager }: Scene): Promise<number> =>
  (await manager.db.collection('schedule_strategies').find().toArray()).length

const changes: readonly Change[] = [
  {
    name: 'create',
    ask: ({ manager }) => manager.as(manager.admin).post('/api/v1/strategies').send(criteria),
    done: async (scene, _id, before) => (await count(scene)) === before + 1,
  },
  {
    name: 'update',
    before: create,
    ask: ({ manager }, strategyId) =>
      manager
        .as(manager.admin)
        .put('/api/v1/strategies')
        .send({ ...criteria, priority: 7, strategyId }),
    done: async ({ manager }, id) =>
      (await manager.db.collection('schedule_strategies').findOne({ _id: new ObjectId(id) }))?.priority === 7,
  },
  {
    name: 'delete',
    before: create,
    ask: ({ manager }, id) => manager.as(manager.admin).delete(`/api/v1/strategies/${id}`),
    done: async (scene, _id, before) => (await count(scene)) === before - 1,
  },
]

// They wait more than they work.
describe('the wire to the database is cut', { concurrency: 2 }, () => {
  for (const { name, before, ask, done } of changes) {
    it(`killed at every command of ${name}: what is stored is whole`, async (t) => {
      const at = await scene(t, impatient)
      const { manager, wire } = at
      const seen = { done: 0, not: 0 }
      for (let step = 0, through = false; !through; step++) {
        for (const where of ['before', 'after'] as readonly Cut[]) {
          // After one command is before the next one, for the database; only the commit has none.
          if (where === 'after' && wire.commands[step] !== 'commitTransaction') continue
          const id = (await before?.(at)) ?? ''
          const counted = await count(at)
          wire.cut(step, where, 'for good')
          const { status } = await ask(at, id)
          // Another that is not done was not let through by a busy machine: it is tried again further on.
          through = status < 300 && wire.commands.length <= step
          const was = await done(at, id, counted)
          assert.deepEqual(await problemsOf(at), [], `cut ${where} command ${step} (${wire.commands.join(' ')})`)
          if (status < 300) assert.ok(was, `cut ${where} command ${step}: ${status}, and it is not there`)
          else assert.equal(status, 503, `cut ${where} command ${step}`)
          seen[was ? 'done' : 'not']++
          wire.heal()
          await answers(manager)
        }
      }
      assert.ok(seen.not >= 4 && seen.done >= 1, JSON.stringify(seen))
    })

    it(`cut once at any command of ${name}: it is done, once`, async (t) => {
      const at = await scene(t, patient)
      for (let step = 0, through = false; !through; step++) {
        for (const where of [step % 2 === 0 ? 'before' : 'after'] as readonly Cut[]) {
          const id = (await before?.(at)) ?? ''
          const counted = await count(at)
          at.wire.cut(step, where, 'once')
          const { status } = await ask(at, id)
          through = at.wire.commands.length <= step
          const what = `cut ${where} command ${step} (${at.wire.commands.join(' ')})`
          assert.ok(status < 300, `${what}: ${status}`)
          assert.ok(await done(at, id, counted), what)
          assert.deepEqual(await problemsOf(at), [], what)
          at.wire.heal()
          await answers(at.manager)
        }
      }
    })
  }
})
