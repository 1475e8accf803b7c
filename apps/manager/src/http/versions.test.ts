import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Int32 } from 'mongodb'
import { etagOf, parseIdempotencyKey, parseIfMatch, requireVersion } from './versions.js'

test('an entity tag of ours is read as the version that it was made of', () => {
  assert.equal(etagOf(new Int32(7)), '"7"')
  assert.equal(parseIfMatch(etagOf(7)), 7)
  assert.equal(parseIfMatch(' "7" '), 7)
  for (const none of [undefined, '*', ' * ']) assert.equal(parseIfMatch(none), undefined)
})

test('what is no strong entity tag of ours is refused, and quoted only so far', () => {
  for (const bad of [
    '',
    '7',
    '"x"',
    'W/"7"',
    '"7", "8"',
    '"-1"',
    '"1e3"',
    `"${'9'.repeat(10)}"`,
    '"',
    'x'.repeat(9_000),
  ])
    assert.throws(
      () => parseIfMatch(bad),
      (error: Error & { code?: string }) => error.code === 'INVALID_HEADER' && error.message.length < 300,
      bad,
    )
})

test('another version than the one that was read is a conflict; none that was read is none', () => {
  assert.throws(() => requireVersion(1, new Int32(2)), { code: 'VERSION_CONFLICT', status: 409 })
  requireVersion(2, new Int32(2))
  requireVersion(undefined, 9)
})

test('an idempotency key is printable and not long', () => {
  assert.equal(parseIdempotencyKey(undefined), undefined)
  assert.equal(parseIdempotencyKey('7ad9a909-fb71'), '7ad9a909-fb71')
  for (const bad of ['', ' ', 'a b', 'é', 'x'.repeat(129)])
    assert.throws(() => parseIdempotencyKey(bad), { code: 'INVALID_HEADER', status: 400 })
})
