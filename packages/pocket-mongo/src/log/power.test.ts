import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { openStore } from '../store/open.js'
import type { ReadUnit } from '../store/types.js'
import { Disk, type Luck } from './testing/disk.js'

/*
 * The power is lost before every single operation of the disk: while a store is opened, written to by several, and its log
 * is written anew. The disk is one that keeps what was synced, and of the rest nothing, all or a part.
 */

interface Moment {
  readonly disk: Disk
  readonly luck: Luck
  /** Numbers of writes that were acknowledged by then. */
  readonly acknowledged: ReadonlySet<number>
}

const halves = (unit: ReadUnit): readonly number[] =>
  [...unit.candidates('shop.items', {}).documents].map(({ doc }) => Number(doc.number))

test('whenever the power is lost, what was acknowledged is there, and what was together is whole', async (t) => {
  const disk = new Disk()
  const moments: Moment[] = []
  const acknowledged = new Set<number>()
  disk.before = () => {
    for (const luck of ['nothing', 'all', 'part'] as const) {
      moments.push({ disk: disk.afterLoss(luck), luck, acknowledged: new Set(acknowledged) })
    }
  }
  const dataDir = temporaryFolder(t)
  const options = { dataDir, compactAboveBytes: 2000, compactRatio: 1.5 }
  const notes: string[] = []
  const store = await openStore({ ...options, note: (text) => notes.push(text) }, { files: disk.files })
  let number = 0
  const write = async (): Promise<void> => {
    for (let round = 0; round < 8; round++) {
      const mine = ++number
      await store.write((unit) => {
        unit.insert('shop.items', { number: mine, half: 1 })
        unit.insert('shop.items', { number: mine, half: 2 })
        unit.insert('shop.past', { _id: mine, filling: 'x'.repeat(100) })
      })
      acknowledged.add(mine)
      await store.write((unit) => {
        for (const old of unit.candidates('shop.past', { _id: mine }).documents) unit.remove('shop.past', old)
      })
    }
  }
  await Promise.all([write(), write(), write()])
  await store.close()
  assert.equal(acknowledged.size, 24)
  assert.ok(notes.filter((note) => note.includes('written anew')).length >= 2, notes.join('\n'))

  for (const [at, moment] of moments.entries()) {
    const found = await openStore({ dataDir }, { files: moment.disk.files })
    const numbers = found.read(halves)
    for (const one of moment.acknowledged) {
      assert.ok(
        numbers.includes(one),
        `write ${one} is lost at operation ${Math.floor(at / 3)}, with luck: ${moment.luck}`,
      )
    }
    for (const one of new Set(numbers)) assert.equal(numbers.filter((other) => other === one).length, 2)
    await found.close()
  }
})
