import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { LockedError, locked } from './lock.js'
import { temporaryPlace } from './plan/testing.js'

test('one at a time: the second is told who, and the next finds it free however the first ended', async (t) => {
  const place = temporaryPlace(t)
  const second = () => locked(place, async () => 'done')
  await locked(place, async () => {
    const told = (error: unknown) => error instanceof LockedError && error.message.includes(`process ${process.pid} `)
    await assert.rejects(second(), told)
  })
  await assert.rejects(
    locked(place, () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  )
  assert.equal(await second(), 'done')
  assert.ok(!existsSync(place.lock))
})

test('who was killed, or never was, holds nothing', async (t) => {
  const place = temporaryPlace(t)
  mkdirSync(place.folder, { recursive: true })
  const gone = spawnSync(process.execPath, ['--version']).pid
  for (const text of [String(gone), '', 'nobody', '-1']) {
    writeFileSync(place.lock, text)
    assert.equal(await locked(place, async () => 'done'), 'done', text)
  }
})
