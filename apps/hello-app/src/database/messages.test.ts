import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { errorResponse, message, row, WELCOME } from '../testing/fake-postgres.js'
import { MAX_ANSWER_BYTES, MessageScan, NotPostgres, PasswordInClear } from './messages.js'

const scram = message('R', Buffer.from('\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0', 'latin1'))
const GOOD = [
  scram,
  WELCOME,
  row('Hello from PostgreSQL'),
  errorResponse('28P01', 'no'),
  message('S', Buffer.from('a\0\0')),
]

test('what PostgreSQL says passes unchanged, however it is cut', () => {
  const all = Buffer.concat(GOOD)
  fc.assert(
    fc.property(fc.array(fc.nat(all.length), { maxLength: 20 }), (cuts) => {
      const scan = new MessageScan()
      const ends = [...cuts, all.length].sort((a, b) => a - b)
      const passed = ends.map((end, index) => scan.take(all.subarray(ends[index - 1] ?? 0, end)))
      assert.deepEqual(Buffer.concat(passed), all)
    }),
  )
})

test('only whole messages pass', () => {
  const scan = new MessageScan()
  assert.equal(scan.take(scram.subarray(0, -1)).length, 0)
  assert.deepEqual(scan.take(scram.subarray(-1)), scram)
})

test('what pg would search for ever, or throw at, does not pass', () => {
  const text = (value: string) => Buffer.from(value, 'latin1')
  for (const [type, body] of [
    ['S', 'a text without its end'],
    ['S', 'a name without a value\0'],
    ['E', 'Mno end'],
    ['E', 'Mno last zero\0'],
    ['E', 'C28P01\0\0more'],
    ['C', ''],
    ['T', '\0\x02a\0'],
    ['T', '\xff\xff'],
    ['D', '\0\x01\0\0\0\x09short'],
    ['D', '\0\x01\x80\0\0\0'],
    ['R', '\0\0\0\x0aSCRAM-SHA-256'],
    ['R', '\0\0\0\x07'],
    ['R', ''],
    ['Z', ''],
    ['K', 'short'],
    ['G', '\0\0\x01'],
    ['H', 'TTP'],
  ] as const)
    assert.throws(() => new MessageScan().take(message(type, text(body))), NotPostgres, `${type} ${body}`)
  assert.throws(() => new MessageScan().take(message('R', text('\0\0\0\x03'))), PasswordInClear)
  assert.throws(() => new MessageScan().take(text('E\x7f\xff\xff\xff')), NotPostgres)
  assert.throws(() => new MessageScan().take(text('S\0\0\0\0')), NotPostgres)
})

test('notices without end are too much, per check', () => {
  const scan = new MessageScan()
  const notice = message('N', Buffer.from(`M${'x'.repeat(1_000)}\0\0`))
  const fits = Math.floor(MAX_ANSWER_BYTES / notice.length)
  for (let n = 0; n < fits; n++) scan.take(notice)
  scan.renew()
  for (let n = 0; n < fits; n++) scan.take(notice)
  assert.throws(() => scan.take(notice), NotPostgres)
})
