import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson'
import fc from 'fast-check'
import { compare } from './compare.js'
import { inverted } from './number-order.js'
import { orderOf } from './order.js'
import { compareExactly } from './testing/exact.js'

const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 33n), max: 10n ** 33n }), fc.integer({ min: -400, max: 350 }))
  .map(([digits, exponent]) => Decimal128.fromString(`${digits}E${exponent}`))

const nearDouble = fc
  .tuple(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }), fc.integer({ min: -2, max: 2 }))
  .map(([value, step]) => {
    const text = value.toFixed(12)
    return Decimal128.fromString(step === 0 ? text : `${text}${Math.abs(step)}`)
  })

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.integer({ min: -3, max: 3 }),
  fc.integer().map((value) => new Int32(value)),
  fc.integer({ min: -5, max: 5 }).map((value) => new Double(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc.bigInt({ min: 2n ** 53n - 4n, max: 2n ** 53n + 4n }).map((value) => Long.fromBigInt(value)),
  fc.bigInt({ min: 2n ** 53n - 4n, max: 2n ** 53n + 4n }).map((value) => Decimal128.fromString(`${value}.5`)),
  decimal,
  nearDouble,
  fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0', '1E-6176', '-1E-6176', '9E+6144').map(Decimal128.fromString),
)

const text = fc.oneof(
  fc.string(),
  anyText(),
  fc.constantFrom(
    '',
    '\0',
    '\x01',
    '\0\x01',
    '\x01\x01',
    '\x02',
    'a',
    'a\0',
    'a\x01',
    'a\0b',
    'ab',
    '\u{10ffff}',
    '\uffff',
    'é',
  ),
)

const scalar = fc.oneof(
  { arbitrary: number, weight: 3 },
  { arbitrary: text, weight: 2 },
  fc.boolean(),
  fc.constant(null),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
  fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.constantFrom(0, 4, 128)).map(([bytes, type]) => new Binary(bytes, type)),
  fc.tuple(fc.nat(), fc.nat()).map(([t, i]) => new Timestamp({ t, i })),
  fc.constantFrom(new MinKey(), new MaxKey()),
)

const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 2 },
    { arbitrary: scalar, weight: 5 },
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ab', ''), tie('any'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any

const sign = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function holds(a: unknown, b: unknown): void {
  const [left, right] = [orderOf(a), orderOf(b)]
  assert.equal(sign(left, right), Math.sign(compare(a, b)))
  assert.equal(sign(inverted(left), inverted(right)), 0 - Math.sign(compare(a, b)))
  if (left !== right) assert.ok(!left.startsWith(right) && !right.startsWith(left), 'one text begins another')
}

test('numbers of all kinds are in the order of their exact values', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      assert.equal(Math.sign(compare(a, b)), Math.sign(compareExactly(a, b)))
      holds(a, b)
    }),
    { numRuns: 4000 },
  )
})

test('values of all kinds are in the order that sorting has', () => {
  fc.assert(fc.property(value, value, holds), { numRuns: 4000 })
})

test('what is equal is one text: 1, 1.0, a Long and a Decimal128 of 1', () => {
  const ones = [1, new Int32(1), new Double(1), Long.fromNumber(1), Decimal128.fromString('1.00')]
  assert.equal(new Set(ones.map(orderOf)).size, 1)
  assert.notEqual(orderOf(1), orderOf(Decimal128.fromString('1.0000000000000000000000001')))
  assert.equal(orderOf(0), orderOf(-0))
})
