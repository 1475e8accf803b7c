import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import type { MongoError } from '../errors.js'
import { openStore } from '../store/open.js'
import { faultyFiles } from './testing/faults.js'
import { idsOf, insert, logIn, ns } from './testing/items.js'

test('a full disk: the write is refused and undone, what was acknowledged stays, and with room it goes on', async (t) => {
  const dataDir = temporaryFolder(t)
  const { files, faults } = faultyFiles()
  const store = await openStore({ dataDir }, { files })
  await insert(store, 1)
  const transaction = store.begin()
  transaction.run((unit) => unit.insert(ns, { _id: 'of the transaction' }))
  faults.room = 200
  const refused = (error: MongoError): boolean => {
    assert.equal(error.codeName, 'OutOfDiskSpace')
    return /the disk is full/.test(error.message)
  }
  const outcomes = await Promise.allSettled([insert(store, 2, { text: 'x'.repeat(500) }), insert(store, 3)])
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
  const notes: string[] = []
  const again = await openStore({ dataDir, note: (text) => notes.push(text) })
  assert.deepEqual(notes, [])
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
  while (faults.syncs === syncs) await new Promise((resolve) => setImmediate(resolve))
  // It was written, and the sync is under way: time enough for an answer that does not wait for it.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(
    store.read((unit) => unit.count(ns)),
    101,
  )
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
