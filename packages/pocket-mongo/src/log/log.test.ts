import assert from 'node:assert/strict'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { openStore } from '../store/open.js'
import type { Change } from '../store/state.js'
import { StoredDocument } from '../store/stored.js'
import { checkSize } from './changes.js'
import { all, insert, logIn, ns } from './testing/items.js'

test('what was written is there again: documents, indexes, validators, what was changed and what was dropped', async (t) => {
  const dataDir = temporaryFolder(t)
  const first = await openStore({ dataDir })
  const validator = { $jsonSchema: { required: ['n'], properties: { n: { bsonType: 'int' } } } }
  await first.write((unit) => {
    unit.createCollection(ns, { validator })
    unit.createIndexes(ns, [{ name: 'n_1', key: { n: 1 }, unique: true }])
    unit.insert(ns, { _id: 1, n: 1 })
    unit.insert(ns, { _id: 2, n: 2 })
    unit.insert(ns, { _id: 3, n: 3 })
    unit.insert('shop.gone', { _id: 1 })
  })
  await first.write((unit) => {
    const [one, two] = [...unit.candidates(ns, {}).documents]
    assert.ok(one && two)
    unit.replace(ns, one, { _id: 1, n: 10 })
    unit.remove(ns, two)
    unit.drop('shop.gone')
  })
  const uuid = first.read((unit) => unit.collection(ns)?.uuid)
  await first.close()

  const second = await openStore({ dataDir })
  cleanUp(t, () => second.close())
  assert.deepEqual(second.read(all), [
    { _id: 1, n: 10 },
    { _id: 3, n: 3 },
  ])
  second.read((unit) => {
    assert.deepEqual(
      unit.collections('shop').map((found) => found.ns),
      [ns],
    )
    assert.deepEqual(unit.collection(ns)?.uuid, uuid)
    assert.deepEqual(unit.collection(ns)?.options, { validator })
    assert.deepEqual(
      unit.indexes(ns).map(({ name }) => name),
      ['_id_', 'n_1'],
    )
  })
  await assert.rejects(insert(second, 4, { n: 3 }), { code: 11000 })
  await assert.rejects(insert(second, 4, { n: 'x' }), { code: 121 })
  await insert(second, 4, { n: 2 })
})

test('one folder has one owner, and a closed store gives it back', async (t) => {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  await assert.rejects(openStore({ dataDir }), /is in use: process \d+ \(this one\) has it/)
  await store.close()
  await (await openStore({ dataDir })).close()
  // Another program may have the number by now; it is not the one that had the folder.
  writeFileSync(join(dataDir, 'owner'), JSON.stringify({ pid: process.ppid, started: 'long ago', token: 'x' }))
  await (await openStore({ dataDir })).close()
  writeFileSync(join(dataDir, 'owner'), '')
  await (await openStore({ dataDir })).close()
  assert.deepEqual(readdirSync(dataDir), ['store.log'])
})

test('a log is written anew when most of it is past, while writers go on; nothing is lost or doubled', async (t) => {
  const dataDir = temporaryFolder(t)
  const notes: string[] = []
  const options = { dataDir, compactAboveBytes: 20_000, compactRatio: 2, note: (text: string) => notes.push(text) }
  const store = await openStore(options)
  await insert(store, 0, { n: 0 })
  for (let n = 1; n <= 300; n++) {
    const update = store.write((unit) => {
      const [old] = unit.candidates(ns, { _id: 0 }).documents
      assert.ok(old)
      unit.replace(ns, old, { n, filling: 'x'.repeat(500) })
    })
    if (n % 10 === 0) await Promise.all([update, insert(store, n)])
    if (n % 25 === 0) await update
  }
  await store.close()
  assert.match(notes.join('\n'), /written anew: \d+ bytes have become \d+/)
  assert.ok(statSync(logIn(dataDir)).size < 100_000)
  assert.deepEqual(readdirSync(dataDir), ['store.log'])
  const again = await openStore({ dataDir })
  assert.equal(again.read(all)[0]?.n, 300)
  assert.deepEqual(
    again.read(all).map(({ _id }) => _id),
    Array.from({ length: 31 }, (_, n) => n * 10),
  )
  await again.close()
})

test('more than one frame holds is refused before it is in force', () => {
  const put = (megabytes: number): Change => ({
    kind: 'put',
    ns,
    id: 1,
    document: new StoredDocument(1, new Uint8Array(megabytes * 1024 * 1024)),
  })
  checkSize([put(300), put(211)])
  assert.throws(() => checkSize([put(300), put(212)]), { codeName: 'TransactionTooLarge' })
})
