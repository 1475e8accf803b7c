import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_ROOT, merkleRoot } from '@bulkhead/intents'
import { eventually } from '@bulkhead/testing'
import { Long, MongoErrorLabel } from 'mongodb'
import { intentsOf, strategyDoc } from '../reconcile/testing/documents.js'
import { hasLabel } from '../store/failures.js'
import { sharedManager } from '../testing/index.js'
import { pod } from '../testing/scheduling.js'
import { readSet } from './read-set.js'

const manager = sharedManager()
let nodes = 0
const newNode = (): string => `node-of-test-${++nodes}`

test('a set has a version of its own, above every one before and not below the clock; and the root of what is in it', async () => {
  const { store } = await manager()
  const node = newNode()
  const before = Date.now()
  const first = await readSet(store, node)
  assert.ok(first.version >= before)
  assert.deepEqual([first.intents, first.rootHash, first.unsent], [[], EMPTY_ROOT, []])
  const docs = intentsOf(strategyDoc(), pod('a', 'web', node), pod('b', 'web', node), pod('c', 'web', newNode()))
  await store.intents.insertMany(docs)
  const second = await readSet(store, node)
  assert.ok(second.version > first.version)
  assert.deepEqual(
    second.intents.map(({ podName }) => podName),
    ['a', 'b'],
  )
  assert.equal(second.rootHash, merkleRoot(second.intents))
  assert.deepEqual(
    second.unsent,
    docs.slice(0, 2).map(({ _id }) => _id),
  )
})

test('a database whose numbers are ahead of the clock, or of another one, counts on from there', async () => {
  const { store } = await manager()
  const ahead = newNode()
  const future = Date.now() * 2
  await store.setVersions.insertOne({ _id: ahead, version: Long.fromNumber(future) })
  assert.equal((await readSet(store, ahead)).version, future + 1)
  assert.equal((await readSet(store, newNode(), future)).version, future + 1)
})

test('of sets that are read at once while others write, one with a higher version never knows less', async () => {
  const { store } = await manager()
  const node = newNode()
  const strategy = strategyDoc()
  const readers = 4
  const rounds = 12
  let over = false
  const sets: Awaited<ReturnType<typeof readSet>>[] = []
  const writer = async (): Promise<void> => {
    for (let n = 0; !over; n++) await store.intents.insertMany(intentsOf(strategy, pod(`pod-${n}`, 'web', node)))
  }
  // Four at one document, on a busy machine: who gave way for three seconds has nothing, and asks again as the next run would.
  const patiently = async (tries = 20): Promise<Awaited<ReturnType<typeof readSet>>> => {
    try {
      return await readSet(store, node)
    } catch (error) {
      if (tries === 1 || !hasLabel(error, MongoErrorLabel.TransientTransactionError)) throw error
      return patiently(tries - 1)
    }
  }
  const reader = async (): Promise<void> => {
    for (let n = 0; n < rounds; n++) sets.push(await patiently())
  }
  const writing = writer()
  await Promise.all(Array.from({ length: readers }, reader))
  over = true
  await writing
  sets.sort((a, b) => a.version - b.version)
  assert.equal(new Set(sets.map(({ version }) => version)).size, readers * rounds, 'no version was given twice')
  // Nothing is taken away here, so that to know less is to be older.
  for (const [n, { intents }] of sets.entries())
    assert.ok(n === 0 || intents.length >= (sets[n - 1]?.intents.length ?? 0), `set ${n} is older than the one below`)
  assert.ok((sets.at(-1)?.intents.length ?? 0) > (sets[0]?.intents.length ?? 0), 'somebody wrote meanwhile')
})

test('two readers, of whom the first is slow: who gets the higher version has read later, whoever asked first', async () => {
  const { store } = await manager()
  const node = newNode()
  await readSet(store, node)
  const versions = store.setVersions
  let tries = 0
  let letGo: () => void = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let reached: () => void = () => {}
  const holding = new Promise<void>((resolve) => {
    reached = resolve
  })
  /** Takes its version, and reads when it is let go. */
  const slow: typeof store = Object.create(store, {
    intents: {
      value: {
        find: (...asked: Parameters<typeof store.intents.find>) => ({
          toArray: async () => {
            reached()
            await held
            return store.intents.find(...asked).toArray()
          },
        }),
      },
    },
  })
  const counted: typeof store = Object.create(store, {
    setVersions: {
      value: {
        findOneAndUpdate: (...asked: Parameters<typeof versions.findOneAndUpdate>) => {
          tries++
          return versions.findOneAndUpdate(...asked)
        },
      },
    },
  })
  const first = readSet(slow, node)
  await holding
  let through = false
  const second = readSet(counted, node).finally(() => {
    through = true
  })
  await eventually('the second one is through, or gives way', () => through || tries > 1)
  await store.intents.insertMany(intentsOf(strategyDoc(), pod('a', 'web', node)))
  letGo()
  const [low, high] = (await Promise.all([first, second])).sort((a, b) => a.version - b.version)
  assert.ok((low?.intents.length ?? 0) <= (high?.intents.length ?? 0), 'the higher version knows less')
})
