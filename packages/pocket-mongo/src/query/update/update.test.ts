import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Document, Long } from 'bson'
import fc from 'fast-check'
import { compileFilter } from '../filter.js'
import { compileUpdate } from './update.js'

const apply = (update: Document, document: Document, filter?: Document): Document =>
  compileUpdate(update, { pipeline: () => (same) => same })(
    document,
    filter === undefined ? undefined : { filter, matches: compileFilter(filter) },
  )

test('a document is never written to, and what did not change is the same object', () => {
  const document = Object.freeze({ _id: 1, a: Object.freeze({ x: 1 }), b: Object.freeze([Object.freeze({ y: 1 })]) })
  const next = apply({ $set: { 'b.0.y': 2 }, $inc: { n: 1 } }, document)
  assert.deepEqual(next, { _id: 1, a: { x: 1 }, b: [{ y: 2 }], n: 1 })
  assert.equal(next.a, document.a)
  assert.equal(apply({ $set: { 'a.x': 1 }, $unset: { z: '' }, $pull: { b: 5 } }, document), document)
})

test('a field named __proto__ is set, changed and taken away like any other', () => {
  const set = apply({ $set: { ['__proto__']: 1, 'a.__proto__.b': 2 } }, { _id: 1 })
  assert.deepEqual(Object.keys(set), ['_id', '__proto__', 'a'])
  assert.equal(({} as Document).b, undefined)
  assert.deepEqual(Object.keys(apply({ $unset: { ['__proto__']: '' } }, set)), ['_id', 'a'])
})

test('a path has at most 200 parts', () => {
  const path = (parts: number) => Array.from({ length: parts }, () => 'a').join('.')
  assert.ok(apply({ $set: { [path(200)]: 1 } }, { _id: 1 }))
  assert.throws(() => apply({ $set: { [path(201)]: 1 } }, { _id: 1 }), { codeName: 'Overflow' })
})

test('$inc there and back is where it was, in type too', () => {
  const number = fc.oneof(
    fc.integer({ min: -(2 ** 29), max: 2 ** 29 }),
    fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n }).map((value) => Long.fromBigInt(value)),
  )
  fc.assert(
    fc.property(number, fc.integer({ min: -(2 ** 29), max: 2 ** 29 }), (n, by) => {
      const document = { _id: 1, n }
      // Not -by: a zero below zero is a double.
      const back = apply({ $inc: { n: 0 - by } }, apply({ $inc: { n: by } }, document))
      assert.deepEqual(back, document)
    }),
  )
})

test('$ is of the array that the query asks for, and of no other', () => {
  const document = { _id: 1, a: [1, 2], b: [{ k: 1 }, { k: 2 }] }
  assert.deepEqual(apply({ $set: { 'b.$.hit': true } }, document, { 'b.k': 2, a: 1 }).b, [
    { k: 1 },
    { k: 2, hit: true },
  ])
  assert.throws(() => apply({ $set: { 'b.$.hit': true } }, document, { a: 1 }), { codeName: 'BadValue' })
  assert.throws(() => apply({ $set: { 'b.$.hit': true } }, document), { codeName: 'BadValue' })
})
