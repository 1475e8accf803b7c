import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { openStore } from './open.js'
import type { Store } from './types.js'

const ns = 'manager.keys'

const only = (store: Store, ids: readonly unknown[]): Promise<true> =>
  eventually(`${ids.length} documents are left`, () => {
    const left = store.read((unit) => [...unit.candidates(ns, {}).documents].map(({ doc }) => doc._id))
    assert.deepEqual(left, ids)
    return true
  })

test('documents go when their time is over: the earliest date of several counts, and what has no date stays', async (t) => {
  let now = 1_000_000
  const store = await openStore({}, { sweepEveryMs: 2, now: () => now })
  cleanUp(t, () => store.close())
  const at = (seconds: number): Date => new Date(1_000_000 + seconds * 1000)
  await store.write((unit) => {
    unit.createIndexes(ns, [
      { name: 'createdAt_1', key: { createdAt: 1 }, expireAfterSeconds: 60 },
      { name: 'only', key: { other: -1 }, expireAfterSeconds: 0, partialFilterExpression: { kind: 'x' } },
    ])
    unit.insert(ns, { _id: 'first', createdAt: at(0) })
    unit.insert(ns, { _id: 'second', createdAt: at(10) })
    unit.insert(ns, { _id: 'both', createdAt: [at(500), at(20)] })
    unit.insert(ns, { _id: 'a number', createdAt: 0 })
    unit.insert(ns, { _id: 'none' })
    unit.insert(ns, { _id: 'in part', other: at(5), kind: 'x' })
    unit.insert(ns, { _id: 'not in part', other: at(5), kind: 'y' })
  })
  const stay = ['a number', 'none', 'not in part']
  now += 4_999
  await only(store, ['first', 'second', 'both', 'a number', 'none', 'in part', 'not in part'])
  now += 1
  await only(store, ['first', 'second', 'both', ...stay])
  now += 55_000
  await only(store, ['second', 'both', ...stay])
  now += 20_000
  await only(store, stay)
})

test('thousands whose time is over go too, and one that a transaction has changed is kept by it', async (t) => {
  const store = await openStore({}, { sweepEveryMs: 2 })
  cleanUp(t, () => store.close())
  await store.write((unit) => {
    for (let _id = 0; _id < 2500; _id++) unit.insert(ns, { _id, createdAt: new Date(0) })
  })
  const transaction = store.begin()
  transaction.run((unit) => {
    const [old] = unit.candidates(ns, { _id: 7 }).documents
    assert.ok(old)
    unit.replace(ns, old, { createdAt: new Date(Date.now() + 1_000_000) })
  })
  const making = store.write((unit) => {
    unit.createIndexes(ns, [{ name: 'createdAt_1', key: { createdAt: 1 }, expireAfterSeconds: 1 }])
  })
  await transaction.commit()
  await making
  await only(store, [7])
})
