import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { openStore } from '../store/open.js'
import type { ReadUnit } from '../store/types.js'

/*
 * A writer that is killed (SIGKILL) in the middle of its work, again and again, on one folder: what it said was acknowledged
 * is there, transactions are whole, and the store opens. BULKHEAD_LONG=1 kills it 100 times.
 */

const rounds = process.env.BULKHEAD_LONG === '1' ? 100 : 3
const writer = new URL('./testing/writer.js', import.meta.url).pathname

/** Lines of a writer that was killed after so many of them. */
async function linesOfKilled(dataDir: string, first: number, after: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [writer, dataDir, String(first)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (lines.length === after) child.kill('SIGKILL')
  }
  const [code, signal] = await exited
  assert.equal(signal, 'SIGKILL', `the writer ended by itself, with ${code}`)
  return lines
}

const documents = (unit: ReadUnit, ns: string) => [...unit.candidates(ns, {}).documents].map(({ doc }) => doc)

test('a writer that is killed loses nothing that was acknowledged, and no transaction in half', async (t) => {
  const dataDir = temporaryFolder(t)
  const acknowledged = new Set<string>()
  for (let round = 0; round < rounds; round++) {
    const lines = await linesOfKilled(dataDir, round * 1_000_000, 150 + ((round * 7919) % 300))
    for (const line of lines) acknowledged.add(line)
    const notes: string[] = []
    const store = await openStore({ dataDir, note: (text) => notes.push(text) })
    store.read((unit) => {
      const there = new Set(documents(unit, 'bank.items').map(({ _id }) => `insert ${_id}`))
      const sides = new Map<number, number>()
      for (const { transfer, amount } of documents(unit, 'bank.notes')) {
        there.add(`transfer ${transfer}`)
        sides.set(transfer, (sides.get(transfer) ?? 0) + amount)
        assert.equal(unit.candidates('bank.notes', { transfer }).index, 'side_1')
        assert.equal(
          [...unit.candidates('bank.notes', { transfer }).documents].length,
          2,
          `half of transfer ${transfer}`,
        )
      }
      for (const line of acknowledged) assert.ok(there.has(line), `${line} was acknowledged and is lost`)
      assert.ok([...sides.values()].every((sum) => sum === 0))
      const sum = documents(unit, 'bank.accounts').reduce((total, { amount }) => total + Number(amount), 0)
      assert.equal(sum, 0)
    })
    await store.close()
    for (const note of notes) assert.match(note, /ended in a write that was cut short/)
  }
  assert.ok(acknowledged.size > rounds * 100)
  assert.ok([...acknowledged].some((line) => line.startsWith('transfer')))
  assert.deepEqual(readdirSync(dataDir), ['store.log'])
})

test('a folder whose owner lives cannot be opened by another, and can be once he was killed', async (t) => {
  const dataDir = temporaryFolder(t)
  const child = spawn(process.execPath, [writer, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  child.stdout.resume()
  await assert.rejects(openStore({ dataDir }), new RegExp(`is in use: process ${child.pid} has it`))
  child.kill('SIGKILL')
  await exited
  const store = await openStore({ dataDir })
  assert.ok(store.read((unit) => unit.count('bank.accounts')) > 0)
  await store.close()
})
