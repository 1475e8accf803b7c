import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { temporaryPlace } from './plan/testing.js'
import { forgetCluster, RecordError, readRecord, writeRecord } from './record.js'

const record = {
  uid: 'u',
  begun: 'then',
  networkWasThere: false,
  steps: { a: { at: 'then', fingerprint: 'f' } },
  untold: [],
}

test('a record is read as it was written, by its owner alone, and leaves no draft', (t) => {
  const place = temporaryPlace(t)
  assert.equal(readRecord(place), undefined)
  writeRecord(place, record)
  assert.deepEqual(readRecord(place), record)
  assert.equal(statSync(place.record).mode & 0o777, 0o600)
  assert.equal(statSync(place.folder).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(place.folder), ['cluster.json'])
  forgetCluster(place)
  assert.ok(!existsSync(place.folder))
})

test('one that is none of ours is told, with what to do, and nothing is guessed', (t) => {
  const place = temporaryPlace(t)
  mkdirSync(place.folder, { recursive: true })
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{"uid": 7}',
    JSON.stringify({ ...record, uid: '' }),
    JSON.stringify({ ...record, steps: [] }),
  ]) {
    writeFileSync(place.record, text)
    assert.throws(
      () => readRecord(place),
      (error) => error instanceof RecordError && /kind delete cluster --name bulkhead/.test(error.message),
      text,
    )
  }
})
