import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { type Document, Long, UUID } from 'bson'
import { openStore } from '../store/open.js'
import { rawClient, started } from '../testing/scene.js'
import { keptRow, keptSessions } from './kept.js'
import { Sessions } from './sessions.js'

const minutes = (count: number): number => count * 60_000

async function scene(t: TestContext) {
  const store = await openStore({ dataDir: temporaryFolder(t) })
  cleanUp(t, () => store.close())
  const keys = () => [...keptSessions(store)].map(({ key }) => key)
  const keep = (key: string, n: number) =>
    store.write((unit) => unit.insert('a.c', { n }), {
      also: (unit) => unit.setAside(key, keptRow(BigInt(n), { n, ok: 1 })),
    })
  return { store, keys, keep }
}

test('a session has one row, with its last write and the answer, and a store that is opened anew has it', async (t) => {
  const dataDir = temporaryFolder(t)
  const first = await openStore({ dataDir })
  const put = (key: string, n: number, answer: Document | undefined) =>
    first.write((unit) => unit.setAside(key, keptRow(BigInt(n), answer)))
  await put('ann', 1, { n: 1, ok: 1 })
  await put('bob', 7, undefined)
  await put('ann', 2, { n: 2, value: Long.fromNumber(5), ok: 1 })
  await first.compact()
  await put('bob', 8, undefined)
  await first.close()
  const second = await openStore({ dataDir })
  cleanUp(t, () => second.close())
  const sessions = new Sessions(second)
  const [ann, bob] = [sessions.use('ann'), sessions.use('bob')]
  assert.equal(sessions.size, 2)
  assert.equal(ann.number, 2n)
  assert.deepEqual(await ann.answer, { n: 2, value: Long.fromNumber(5), ok: 1 })
  assert.equal(bob.number, 8n)
  assert.equal(bob.answer, undefined)
  assert.deepEqual([bob.transaction?.number, bob.transaction?.inner.state], [8n, 'committed'])
})

test('it goes when the session has not been used for its time, also where nobody came back after a restart', async (t) => {
  const { store, keys, keep } = await scene(t)
  await keep('ann', 1)
  const sessions = new Sessions(store)
  assert.deepEqual(sessions.sweep(Date.now() + minutes(29)), [])
  assert.deepEqual(keys(), ['ann'])
  assert.deepEqual(sessions.sweep(Date.now() + minutes(31)), ['ann'])
  assert.deepEqual(keys(), [])
})

test('what wrote nothing keeps nothing', async (t) => {
  const { store, keys } = await scene(t)
  await store.write(() => 0, { also: (unit) => unit.setAside('ann', keptRow(1n, { n: 0, ok: 1 })) })
  const empty = store.begin()
  await empty.commit((unit) => unit.setAside('bob', keptRow(1n, undefined)))
  assert.deepEqual(keys(), [])
  const full = store.begin()
  full.run((unit) => unit.insert('a.c', { n: 1 }))
  await full.commit((unit) => unit.setAside('bob', keptRow(1n, undefined)))
  assert.deepEqual(keys(), ['bob'])
})

test('no row is in the way of a transaction that began before it', async (t) => {
  const { store, keys, keep } = await scene(t)
  await store.write((unit) => unit.insert('a.c', { n: 0 }))
  const transaction = store.begin()
  transaction.run((unit) => unit.insert('a.c', { n: 1 }))
  await keep('ann', 1)
  await transaction.commit((unit) => unit.setAside('bob', keptRow(2n, undefined)))
  assert.deepEqual(keys().sort(), ['ann', 'bob'])
})

test('clients do not see rows: no database lists them, no command reaches them; who ends a session takes its own away', async (t) => {
  const store = await openStore()
  cleanUp(t, () => store.close())
  const { port } = await started(t, { store })
  const client = await rawClient(t, port)
  const lsid = { id: new UUID() }
  const insert = { insert: 'c', documents: [{ _id: 1 }], lsid, txnNumber: Long.fromNumber(1) }
  assert.equal((await client.ask(insert)).n.value, 1)
  assert.equal([...keptSessions(store)].length, 1)
  const { databases } = await client.ask({ listDatabases: 1 }, 'admin')
  assert.deepEqual(
    databases.map(({ name }: Document) => name),
    ['test'],
  )
  for (const db of ['$aside', '', '$', 'config', 'test']) {
    const { ok, cursor } = await client.ask({ listCollections: 1 }, db)
    const names = ok.value === 1 ? cursor.firstBatch.map(({ name }: Document) => name) : []
    assert.deepEqual(names, db === 'test' ? ['c'] : [], db)
  }
  for (const [command, db] of [
    [{ find: '$aside' }, 'test'],
    [{ find: 'aside' }, '$'],
    [{ find: '' }, '$aside'],
    [{ insert: '', documents: [{}] }, '$aside'],
    [{ drop: '' }, '$aside'],
    [{ aggregate: 'c', pipeline: [{ $unionWith: '' }], cursor: {} }, '$aside'],
  ] as const)
    assert.equal((await client.ask(command, db)).code?.value, 73, JSON.stringify([command, db]))
  const { cursor } = await client.ask({
    aggregate: 'c',
    pipeline: [{ $lookup: { from: '$aside', as: 'rows', pipeline: [] } }],
    cursor: {},
  })
  assert.deepEqual(cursor?.firstBatch[0].rows ?? [], [])
  await client.ask({ dropDatabase: 1 }, '$aside')
  assert.equal([...keptSessions(store)].length, 1)
  await client.ask({ endSessions: [lsid] }, 'admin')
  assert.equal([...keptSessions(store)].length, 0)
})
