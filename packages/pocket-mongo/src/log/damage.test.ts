import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import type { Document } from 'bson'
import { openStore } from '../store/open.js'
import { all, insert, logIn, ns } from './testing/items.js'

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
  for (let at = 0; at < bytes.length; at += 7) {
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
