import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import { Binary, Decimal128, Double, Long, ObjectId, Timestamp } from 'bson'
import fc from 'fast-check'
import { compare } from './compare.js'
import { decode, encode } from './decode.js'
import { orderOf } from './order.js'

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc.integer({ min: -5, max: 5 }).map((value) => new Double(value)),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }), fc.integer({ min: -400, max: 400 }))
    .map(([digits, exponent]) => Decimal128.fromString(`${digits}E${exponent}`)),
  fc.constantFrom<unknown>(
    Decimal128.fromString('NaN'),
    Decimal128.fromString('Infinity'),
    Decimal128.fromString('0.1'),
    0.1,
    2 ** 53,
    Long.fromString('9007199254740993'),
  ),
)
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    number,
    anyText(),
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      new ObjectId(),
      new Date(-1),
      new Date(1),
      new Timestamp({ t: 1, i: 1 }),
    ),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => new Binary(bytes)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', ''), tie('value'), { maxKeys: 3 }),
  ),
})).value

test('two values are in one order, however they are asked, and in the order of the keys of an index', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const order = Math.sign(compare(a, b))
      assert.equal(Math.sign(compare(b, a)), order === 0 ? 0 : -order)
      const [x, y] = [orderOf(a), orderOf(b)]
      assert.equal(x < y ? -1 : x > y ? 1 : 0, order)
    }),
    { numRuns: process.env.BULKHEAD_LONG === '1' ? 200_000 : 3_000 },
  )
})

test('three values: what is before what is before a third, is before it', () => {
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      const [x, y, z] = [a, b, c].sort(compare)
      assert.ok(compare(x, z) <= 0 && compare(x, y) <= 0 && compare(y, z) <= 0)
    }),
    { numRuns: 1_000 },
  )
})

test('a document is written again as it was read', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((name) => !name.includes('\0')),
        value,
        { maxKeys: 5 },
      ),
      (document) => {
        const bytes = encode(document)
        // A field whose name is a number is put first by JavaScript itself.
        const again = encode(decode(bytes))
        assert.deepEqual(encode(decode(again)), again)
        assert.equal(again.length, bytes.length)
      },
    ),
    { numRuns: 1_000 },
  )
})
