import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Long, ObjectId } from 'mongodb'
import type { IntentDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { createNodeSync } from './node-sync.js'
import { RecordingPush } from './recording.js'
import { OutdatedSet } from './types.js'

/** The intents' collection, and the versions' one, as far as they are asked here. */
class Intents {
  versions = new Map<string, number>()
  /** What every scheduler has said that it has. */
  reported = 0
  docs: IntentDoc[] = []
  reads = 0
  broken = false
  /** Of the next questions, so many are never answered. */
  hanging = 0

  add(node: string, pod: string): void {
    const intent = { podID: pod, podName: pod, k8sNamespace: 'shop', commandRegex: '', podLabels: {}, priority: 1 }
    const executionTime = 20_000_000
    this.docs.push({ _id: new ObjectId(), nodeID: node, ...intent, executionTime, state: 1 } as unknown as IntentDoc)
  }

  find({ nodeID }: { nodeID: string }) {
    this.reads++
    const found = this.docs.filter((doc) => doc.nodeID === nodeID)
    if (this.hanging > 0) {
      this.hanging--
      return { toArray: () => new Promise<never>(() => {}) }
    }
    return { toArray: () => (this.broken ? Promise.reject(new Error('the database is away')) : Promise.resolve(found)) }
  }

  async updateMany({ _id }: { _id: { $in: ObjectId[] } }, { $set }: { $set: Partial<IntentDoc> }): Promise<void> {
    if (this.hanging > 0) {
      this.hanging--
      return new Promise(() => {})
    }
    const ids = new Set(_id.$in.map(String))
    this.docs = this.docs.map((doc) => (ids.has(String(doc._id)) ? { ...doc, ...$set } : doc))
  }

  states(): Record<string, number> {
    return Object.fromEntries(this.docs.map(({ podID, state }) => [podID, Number(state)]))
  }
}

/** As the store bounds it, without a client to replace. */
async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms)
  })
  return Promise.race([work(), late]).finally(() => clearTimeout(timer))
}

function build(waitMs = 2_000) {
  const intents = new Intents()
  const push = new RecordingPush()
  const warnings: string[] = []
  const sync = createNodeSync({
    store: storeOf(intents),
    push,
    log: { warn: (_: unknown, text?: string) => void warnings.push(String(text)) },
    waitMs,
    databaseMs: 40,
  })
  return { intents, push, sync, warnings }
}

/** Transactions one after the other, which is all that they promise; a version is one more than the last, as MongoDB counts it. */
function storeOf(intents: Intents) {
  const setVersions = {
    findOneAndUpdate: ({ _id }: { _id: string }, [{ $set }]: [{ $set: { version: { $max: [unknown, Long] } } }]) => {
      const version = Math.max((intents.versions.get(_id) ?? 0) + 1, Number($set.version.$max[1]))
      intents.versions.set(_id, version)
      return Promise.resolve({ version })
    },
  }
  const schedulers = { findOne: () => Promise.resolve({ setVersion: intents.reported }) }
  const transaction = <T>(work: (session: unknown) => Promise<T>): Promise<T> => work(undefined)
  return { intents, setVersions, schedulers, transaction, within } as unknown as Store
}

/** A promise, and what ends it. */
function gate<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const promise = new Promise<T>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

test('contract M15: a node is always sent its whole set, oldest first, and what was sent is in state 2', async () => {
  const { intents, push, sync } = build()
  intents.add('n1', 'a')
  intents.add('n2', 'x')
  intents.add('n1', 'b')
  intents.docs.reverse()
  assert.deepEqual(await sync.sync(['n1', 'n1']), new Set(['n1']))
  assert.equal(push.sets.length, 1)
  assert.deepEqual(push.podsOf('n1'), ['a', 'b'])
  assert.deepEqual(intents.states(), { a: 2, b: 2, x: 1 })
  intents.docs = []
  await sync.sync(['n1'])
  assert.deepEqual(push.podsOf('n1'), [], 'nothing is left: that is told, too')
  assert.ok((push.sets[1]?.version ?? 0) > (push.sets[0]?.version ?? 0), 'the later set has the higher version')
})

test('contract M13: without a scheduler, with one that fails, or without a database, nothing is thrown and the state stays 1', async () => {
  const { intents, push, sync, warnings } = build()
  for (const node of ['none', 'fails', 'works']) intents.add(node, node)
  push.take = async ({ node }) => {
    if (node === 'fails') throw new Error('refused')
    return node === 'none' ? 'no-scheduler' : 'sent'
  }
  assert.deepEqual(await sync.sync(['none', 'fails', 'works', '']), new Set(['works']))
  assert.deepEqual(intents.states(), { none: 1, fails: 1, works: 2 })
  assert.equal(push.sets.length, 3, 'a pod that is on no node has nobody to tell')
  assert.equal(warnings.length, 2)
  intents.broken = true
  assert.deepEqual(await sync.sync(['works']), new Set())
})

test('two changes of a node never overtake each other: the second set is read after the first was sent, and many share it', async () => {
  const { intents, push, sync } = build()
  const first = gate<'sent'>()
  push.take = () => (push.sets.length === 1 ? first.promise : Promise.resolve('sent'))
  intents.add('n', 'a')
  const one = sync.sync(['n'])
  await new Promise(setImmediate)
  intents.add('n', 'b')
  const others = [sync.sync(['n']), sync.sync(['n']), sync.sync(['n'])]
  await new Promise(setImmediate)
  assert.equal(push.sets.length, 1)
  first.open('sent')
  assert.deepEqual(await one, new Set(['n']))
  for (const each of await Promise.all(others)) assert.deepEqual(each, new Set(['n']))
  assert.deepEqual(
    push.sets.map(({ intents: set }) => set.map(({ podID }) => podID)),
    [['a'], ['a', 'b']],
  )
})

test('contract M19: at most eight schedulers are spoken to at a time, and one that is slow holds up no other node', async () => {
  const { push, sync } = build()
  let now = 0
  let most = 0
  push.take = async () => {
    most = Math.max(most, ++now)
    await new Promise(setImmediate)
    now--
    return 'sent'
  }
  const nodes = Array.from({ length: 50 }, (_, n) => `n${n}`)
  assert.equal((await sync.sync(nodes)).size, 50)
  assert.equal(most, 8)
  const slow = gate<'sent'>()
  push.take = ({ node }) => (node === 'n0' ? slow.promise : Promise.resolve('sent'))
  const waiting = sync.sync(['n0'])
  assert.deepEqual(await sync.sync(['n1']), new Set(['n1']))
  slow.open('sent')
  assert.deepEqual(await waiting, new Set(['n0']))
})

test('a caller is not kept for longer than the wait; what was begun goes on, and closing waits for it', async () => {
  const { intents, push, sync } = build(30)
  const slow = gate<'sent'>()
  push.take = ({ node }) => (node === 'slow' ? slow.promise : Promise.resolve('sent'))
  intents.add('slow', 'a')
  assert.deepEqual(await sync.sync(['slow', 'quick']), new Set(['quick']))
  assert.deepEqual(intents.states(), { a: 1 })
  const closed = sync.close()
  slow.open('sent')
  await closed
  assert.deepEqual(intents.states(), { a: 2 })
})

test('a database that hangs silences no node for good: its reads end, others have their places, and closing ends', async () => {
  const { intents, push, sync, warnings } = build()
  const nodes = Array.from({ length: 9 }, (_, n) => `n${n}`)
  for (const node of nodes) intents.add(node, node)
  intents.hanging = 8
  assert.deepEqual(await sync.sync(nodes), new Set(['n8']), 'the ninth had its turn when the eight were given up')
  assert.equal(warnings.length, 8)
  assert.deepEqual(await sync.sync(nodes), new Set(nodes))

  intents.add('n0', 'later')
  push.take = async () => {
    intents.hanging = 1
    return 'sent'
  }
  assert.deepEqual(await sync.sync(['n0']), new Set(), 'what was sent and not noted is sent again')
  assert.equal(intents.states().later, 1)
  push.take = () => Promise.resolve('sent')
  assert.deepEqual(await sync.sync(['n0']), new Set(['n0']))
  assert.equal(intents.states().later, 2)

  intents.hanging = 1
  const last = sync.sync(['n1'])
  await sync.close()
  assert.deepEqual(await last, new Set())
})

test('a scheduler that has a later set is sent what there is now, above it, once; one that names a number at the end of all numbers is not followed', async () => {
  const { intents, push, sync, warnings } = build()
  intents.add('n', 'a')
  const has = { version: Date.now() * 2, refusals: 0 }
  push.take = ({ version }) => {
    if (version > has.version) return Promise.resolve('sent')
    has.refusals++
    return Promise.reject(new OutdatedSet('it has a later one'))
  }
  intents.reported = has.version
  assert.deepEqual(await sync.sync(['n']), new Set(['n']))
  assert.equal(push.sets.at(-1)?.version, has.version + 1)
  assert.equal(has.refusals, 1)
  has.version = Number.MAX_SAFE_INTEGER
  intents.reported = has.version
  assert.deepEqual(await sync.sync(['n']), new Set())
  assert.equal(has.refusals, 3)
  assert.equal(warnings.length, 1)
  assert.ok((intents.versions.get('n') ?? 0) < Date.now() * 3)
})
