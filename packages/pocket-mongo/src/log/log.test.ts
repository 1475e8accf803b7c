import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Document } from 'bson'
import type { MongoError } from '../errors.js'
import { openStore } from '../store/open.js'
import type { ReadUnit, Store } from '../store/types.js'
import { faultyFiles, temporaryFolder } from './testing/faults.js'

const ns = 'shop.items'

const all = (unit: ReadUnit): readonly Document[] => [...unit.candidates(ns, {}).documents].map(({ doc }) => doc)
const idsOf = (store: Store): readonly unknown[] => store.read((unit) => all(unit).map(({ _id }) => _id))
const insert = (store: Store, _id: number, more: Document = {}): Promise<void> =>
  store.write((unit) => unit.insert(ns, { _id, ...more }))

const logIn = (folder: string): string => join(folder, 'store.log')

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
  t.after(() => second.close())
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

/** A log of several writes, and what was there after each: the length of the file, and the documents. */
async function written(
  dataDir: string,
): Promise<{ readonly length: number; readonly documents: readonly Document[] }[]> {
  const store = await openStore({ dataDir })
  const states: { readonly length: number; readonly documents: readonly Document[] }[] = []
  const remember = (): void => {
    states.push({ length: statSync(logIn(dataDir)).size, documents: store.read(all) })
  }
  remember()
  for (let _id = 0; _id < 4; _id++) {
    await insert(store, _id, { text: 'x'.repeat(_id * 7) })
    remember()
  }
  const transaction = store.begin()
  transaction.run((unit) => {
    const [first] = unit.candidates(ns, { _id: 0 }).documents
    assert.ok(first)
    unit.remove(ns, first)
    unit.insert(ns, { _id: 'a' })
    unit.insert(ns, { _id: 'b' })
  })
  await transaction.commit()
  remember()
  await store.write((unit) => {
    const [first] = unit.candidates(ns, { _id: 1 }).documents
    assert.ok(first)
    unit.replace(ns, first, { _id: 1, changed: true })
    unit.createIndexes(ns, [{ name: 'text_1', key: { text: 1 } }])
  })
  remember()
  await store.close()
  return states
}

test('a log that is cut at any byte opens, with all writes that are whole before it, and goes on from there', async (t) => {
  const folder = temporaryFolder(t)
  const original = join(folder, 'original')
  const states = await written(original)
  const size = statSync(logIn(original)).size
  const cut = join(folder, 'cut')
  mkdirSync(cut)
  for (let length = 0; length <= size; length++) {
    copyFileSync(logIn(original), logIn(cut))
    truncateSync(logIn(cut), length)
    const notes: string[] = []
    const store = await openStore({ dataDir: cut, sync: false, note: (text) => notes.push(text) })
    const expected = states.filter((state) => state.length <= length).at(-1)?.documents ?? []
    assert.deepEqual(store.read(all), expected, `cut at ${length}`)
    const atSeam = length === 0 || states.some((state) => state.length === length)
    assert.equal(notes.length, atSeam ? 0 : 1, `cut at ${length}: ${notes.join()}`)
    if (!atSeam) assert.match(notes[0] ?? '', /ended in a write that was cut short/)
    if (length % 16 === 0) {
      await insert(store, 100)
      await store.close()
      const again = await openStore({ dataDir: cut })
      assert.deepEqual(again.read(all), [...expected, { _id: 100 }])
      await again.close()
    } else await store.close()
  }
  assert.deepEqual(readdirSync(cut), ['store.log'])
})

test('a byte that changed anywhere is found: what stands before it is in force, the rest is put aside', async (t) => {
  const folder = temporaryFolder(t)
  const original = join(folder, 'original')
  const states = await written(original)
  const bytes = readFileSync(logIn(original))
  for (let at = 0; at < bytes.length; at += 3) {
    const dataDir = join(folder, `at-${at}`)
    mkdirSync(dataDir)
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 0x41
    writeFileSync(logIn(dataDir), changed)
    const notes: string[] = []
    const store = await openStore({ dataDir, sync: false, note: (text) => notes.push(text) })
    const title = states[0]?.length ?? 0
    const before = at < title ? states.at(-1) : states.filter((state) => state.length <= at).at(-1)
    assert.deepEqual(store.read(all), before?.documents, `at ${at}`)
    assert.ok(notes.length > 0, `at ${at}`)
    const aside = readdirSync(dataDir).filter((name) => name.includes('.damaged-'))
    const last = states.at(-2)?.length ?? 0
    if (at >= title && at < last) {
      assert.match(notes[0] ?? '', /is damaged at byte \d+ of \d+/)
      assert.equal(aside.length, 1)
      assert.deepEqual(readFileSync(join(dataDir, aside[0] ?? '')), changed.subarray(before?.length))
    }
    await insert(store, 100)
    await store.close()
    const quiet: string[] = []
    const again = await openStore({ dataDir, note: (text) => quiet.push(text) })
    assert.deepEqual(again.read(all), [...(before?.documents ?? []), { _id: 100 }])
    assert.deepEqual(quiet, [])
    await again.close()
  }
})

test('a file that is no log is put aside whole; a log of a later version is left alone', async (t) => {
  const dataDir = temporaryFolder(t)
  const words = 'These are somebody\u2019s notes, and not a log.\n'.repeat(20)
  writeFileSync(logIn(dataDir), words)
  const notes: string[] = []
  await (await openStore({ dataDir, note: (text) => notes.push(text) })).close()
  const [aside] = readdirSync(dataDir).filter((name) => name.includes('.damaged-'))
  assert.equal(readFileSync(join(dataDir, aside ?? ''), 'utf8'), words)
  assert.match(notes.join(), /is damaged at byte 0/)

  const { titleOf } = await import('./frames.js')
  writeFileSync(logIn(dataDir), titleOf(2))
  await assert.rejects(openStore({ dataDir }), /written by another version/)
  assert.deepEqual(readFileSync(logIn(dataDir)), titleOf(2))
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

test('a full disk: the write is refused and undone, what was acknowledged stays, and with room it goes on', async (t) => {
  const dataDir = temporaryFolder(t)
  const { files, faults } = faultyFiles()
  const store = await openStore({ dataDir }, { files })
  await insert(store, 1)
  const transaction = store.begin()
  transaction.run((unit) => unit.insert(ns, { _id: 'of the transaction' }))
  faults.room = 30
  const refused = (error: MongoError): boolean => {
    assert.equal(error.codeName, 'OutOfDiskSpace')
    return /the disk is full/.test(error.message)
  }
  const outcomes = await Promise.allSettled([insert(store, 2), insert(store, 3)])
  for (const outcome of outcomes) {
    assert.equal(outcome.status, 'rejected')
    assert.ok(outcome.status === 'rejected' && refused(outcome.reason))
  }
  assert.deepEqual(idsOf(store), [1])
  await assert.rejects(insert(store, 4), refused)
  await assert.rejects(transaction.commit(), { code: 251, labels: ['TransientTransactionError'] })
  // The half of a frame that fitted is in the file: a process that dies now leaves it there.
  const copy = join(dataDir, 'copy')
  mkdirSync(copy)
  copyFileSync(logIn(dataDir), logIn(copy))
  const other = await openStore({ dataDir: copy })
  assert.deepEqual(idsOf(other), [1])
  await other.close()
  delete faults.room
  await insert(store, 5)
  await store.close()
  const again = await openStore({ dataDir })
  assert.deepEqual(idsOf(again), [1, 5])
  await again.close()
})

test('a sync that fails: the file is not trusted any more, and the next write makes a new one', async (t) => {
  const dataDir = temporaryFolder(t)
  const { files, faults } = faultyFiles()
  const notes: string[] = []
  const store = await openStore({ dataDir, note: (text) => notes.push(text) }, { files })
  await insert(store, 1)
  const before = statSync(logIn(dataDir)).ino
  faults.failSync = true
  await assert.rejects(insert(store, 2), { codeName: 'FileStreamFailed' })
  await assert.rejects(insert(store, 3), { codeName: 'FileStreamFailed' })
  assert.deepEqual(idsOf(store), [1])
  faults.failSync = false
  await insert(store, 4)
  assert.notEqual(statSync(logIn(dataDir)).ino, before)
  await store.close()
  const again = await openStore({ dataDir })
  assert.deepEqual(idsOf(again), [1, 4])
  await again.close()
})

test('a new log whose name is not on disk acknowledges nothing; one that cannot be renamed is done without', async (t) => {
  const dataDir = temporaryFolder(t)
  const { files, faults } = faultyFiles()
  const notes: string[] = []
  const store = await openStore({ dataDir, note: (text) => notes.push(text) }, { files })
  await insert(store, 1)
  faults.failRename = true
  await store.compact()
  assert.match(notes.join(), /could not be written anew/)
  await insert(store, 2)
  faults.failRename = false
  faults.failFolderSync = true
  await store.compact()
  await assert.rejects(insert(store, 3), { codeName: 'FileStreamFailed' })
  faults.failFolderSync = false
  await insert(store, 4)
  await store.close()
  const again = await openStore({ dataDir })
  assert.deepEqual(idsOf(again), [1, 2, 4])
  await again.close()
})

test('writes that wait are kept together, and none is acknowledged before the disk has it', async (t) => {
  const dataDir = temporaryFolder(t)
  const { files, faults } = faultyFiles()
  const store = await openStore({ dataDir }, { files })
  await insert(store, 0)
  let release = (): void => undefined
  faults.slow = new Promise((resolve) => {
    release = resolve
  })
  const syncs = faults.syncs
  let acknowledged = 0
  const writers = Array.from({ length: 100 }, async (_, n) => {
    // Apart from each other, as requests come.
    await new Promise((resolve) => setImmediate(resolve))
    await insert(store, n + 1)
    acknowledged += 1
  })
  while (store.read((unit) => unit.count(ns)) < 101) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(acknowledged, 0)
  await store.write((unit) => unit.insert(ns, { _id: 'fast' }), { durable: false })
  release()
  await Promise.all(writers)
  assert.equal(acknowledged, 100)
  assert.ok(faults.syncs - syncs <= 3, `${faults.syncs - syncs} syncs`)
  await store.close()
  const again = await openStore({ dataDir })
  assert.equal(idsOf(again).length, 102)
  await again.close()
})
