import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { type Collection, type Document, MongoClient } from 'mongodb'

/*
 * A server that is killed after it has kept a write and before it has answered, and is started again on its folder: the
 * driver (retryWrites, its default) asks again by itself, and has to get the answer of the first time.
 */

interface Item {
  readonly _id: number | string
  readonly n?: number
}
type Items = Collection<Item>

const program = new URL('./testing/killed.js', import.meta.url)

class Server {
  readonly dataDir: string
  #child: ChildProcess | undefined
  #port = 0
  #stopped = false

  constructor(dataDir: string) {
    this.dataDir = dataDir
  }

  get uri(): string {
    return `mongodb://127.0.0.1:${this.#port}/?directConnection=true`
  }

  async start(): Promise<void> {
    const child = fork(program, [this.dataDir, String(this.#port)])
    this.#child = child
    const [port] = await once(child, 'message')
    this.#port = port
  }

  /** Its next write is its last. Resolves when it is ready for it; `restarted`: when it is there again. */
  async arm(): Promise<{ readonly restarted: Promise<void> }> {
    const child = this.#child ?? assert.fail('it was not started')
    const exited = once(child, 'exit')
    child.send('arm')
    await once(child, 'message')
    const restarted = exited.then(async ([, signal]) => {
      assert.equal(signal, 'SIGKILL')
      if (!this.#stopped) await this.start()
    })
    return { restarted }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
}

async function scene(t: TestContext) {
  const server = new Server(temporaryFolder(t))
  cleanUp(t, () => server.stop())
  await server.start()
  const client = new MongoClient(server.uri, {
    minHeartbeatFrequencyMS: 10,
    heartbeatFrequencyMS: 500,
    // Where its monitor streams and hears of the end before the write does, this driver (7.8) has forgotten by then that the
    // server could do retryable writes, and does not ask again.
    serverMonitoringMode: 'poll',
  } as object)
  cleanUp(t, () => client.close())
  const collection = client.db('shop').collection<Item>('items')
  return { server, client, collection }
}

const writes: readonly {
  readonly name: string
  readonly run: (items: Items) => Promise<unknown>
  readonly answer: unknown
  /** All documents, afterwards. */
  readonly there: readonly Document[]
}[] = [
  {
    name: 'insertOne',
    run: async (items) => (await items.insertOne({ _id: 2 })).insertedId,
    answer: 2,
    there: [{ _id: 1, n: 0 }, { _id: 2 }],
  },
  {
    name: 'insertMany, of which the second was there already',
    run: (items) =>
      items.insertMany([{ _id: 3 }, { _id: 1 }, { _id: 4 }], { ordered: false }).then(
        () => 'all of it',
        ({ code, insertedCount, writeErrors }: Document) => [
          code,
          insertedCount,
          writeErrors.map(({ index }: Document) => index),
        ],
      ),
    answer: [11000, 2, [1]],
    there: [{ _id: 1, n: 0 }, { _id: 3 }, { _id: 4 }],
  },
  {
    name: 'updateOne with $inc',
    run: async (items) => (await items.updateOne({ _id: 1 }, { $inc: { n: 1 } })).modifiedCount,
    answer: 1,
    there: [{ _id: 1, n: 1 }],
  },
  {
    name: 'updateOne that inserts',
    run: async (items) => {
      const { upsertedId, matchedCount } = await items.updateOne({ _id: 5 }, { $inc: { n: 5 } }, { upsert: true })
      return { upsertedId, matchedCount }
    },
    answer: { upsertedId: 5, matchedCount: 0 },
    there: [
      { _id: 1, n: 0 },
      { _id: 5, n: 5 },
    ],
  },
  {
    name: 'findOneAndUpdate',
    run: (items) => items.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' }),
    answer: { _id: 1, n: 1 },
    there: [{ _id: 1, n: 1 }],
  },
  {
    name: 'findOneAndDelete',
    run: (items) => items.findOneAndDelete({ _id: 1 }),
    answer: { _id: 1, n: 0 },
    there: [],
  },
  {
    name: 'deleteOne',
    run: async (items) => (await items.deleteOne({ _id: 1 })).deletedCount,
    answer: 1,
    there: [],
  },
]

test('a write whose answer was lost with the server is done once, and answered as the first time', async (t) => {
  const { server, collection } = await scene(t)
  for (const { name, run, answer, there } of writes) {
    await t.test(name, async () => {
      await collection.deleteMany({})
      await collection.insertOne({ _id: 1, n: 0 })
      const { restarted } = await server.arm()
      const asked = run(collection)
      await restarted
      assert.deepEqual(await asked, answer)
      assert.deepEqual(await collection.find().sort({ _id: 1 }).toArray(), there)
      // The server counts on: what comes next in the same session is a write of its own.
      assert.deepEqual((await collection.insertOne({ _id: 'next' })).insertedId, 'next')
    })
  }
})

test('a commit whose answer was lost with the server was done, and is known to have been', async (t) => {
  const { server, client, collection } = await scene(t)
  await collection.insertOne({ _id: 1, n: 0 })
  const session = client.startSession()
  cleanUp(t, () => session.endSession())
  session.startTransaction()
  await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session })
  await collection.insertOne({ _id: 2 }, { session })
  const { restarted } = await server.arm()
  const asked = session.commitTransaction()
  await restarted
  await asked
  assert.deepEqual(await collection.find().sort({ _id: 1 }).toArray(), [{ _id: 1, n: 1 }, { _id: 2 }])
  // Asked for once more by hand; and the session is good for another one.
  await session.commitTransaction()
  await session.withTransaction(() => collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session }))
  assert.equal((await collection.findOne({ _id: 1 }))?.n, 2)
})

test('a transaction that was open when the server was killed was not done', async (t) => {
  const { server, client, collection } = await scene(t)
  const session = client.startSession()
  cleanUp(t, () => session.endSession())
  await collection.insertOne({ _id: 1, n: 0 })
  session.startTransaction()
  await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session })
  const { restarted } = await server.arm()
  await collection.insertOne({ _id: 'last' })
  await restarted
  await assert.rejects(session.commitTransaction(), { code: 251 })
  assert.equal((await collection.findOne({ _id: 1 }))?.n, 0)
})
