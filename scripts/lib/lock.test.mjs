import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { exclusively } from './lock.mjs'
import { collecting, folderWith } from './testing.mjs'

test('one at a time, and the lock is gone afterwards', async (t) => {
  const root = folderWith(t, {})
  const order = []
  let letGo
  const first = exclusively(root, async () => {
    order.push('first begins')
    await new Promise((resolve) => {
      letGo = resolve
    })
    order.push('first ends')
  })
  while (order.length === 0) await new Promise(setImmediate)
  const notes = collecting()
  const second = exclusively(root, async () => order.push('second'), notes)
  letGo()
  await Promise.all([first, second])
  assert.match(notes.said.join(''), /^Another set-up of this clone is running \(process \d+\); waiting for it\.\n$/)
  assert.deepEqual(order, ['first begins', 'first ends', 'second'])
  assert.equal(existsSync(path.join(root, '.bulkhead/setup.lock')), false)
})

test('work that fails lets go too', async (t) => {
  const root = folderWith(t, {})
  await assert.rejects(
    exclusively(root, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(existsSync(path.join(root, '.bulkhead/setup.lock')), false)
})

test('the lock of a process that is gone is not obeyed', async (t) => {
  const root = folderWith(t, {})
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'exit')
  mkdirSync(path.join(root, '.bulkhead'))
  writeFileSync(path.join(root, '.bulkhead/setup.lock'), `${gone.pid}\n`)
  assert.equal(await exclusively(root, async () => 'done'), 'done')
})
