import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Document, Double, Int32, Long, ObjectId } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

const id = new ObjectId('650000000000000000000001')
const documents: readonly Document[] = [
  { _id: 'int', a: 5, s: 'Apple', n: null },
  { _id: 'long', a: Long.fromNumber(5), s: 'apple pie', big: Long.fromString('9007199254740993') },
  { _id: 'double', a: new Double(5), s: 'b', d: 2.5 },
  { _id: 'text', a: '5', s: 'B', o: id },
  {
    _id: 'list',
    a: [1, 5, 9],
    items: [
      { k: 'x', q: 1 },
      { k: 'y', q: 7 },
    ],
  },
  { _id: 'nested', a: { b: 5, c: { d: 1 } }, items: [{ k: 'x', q: 7 }] },
  { _id: 'none', when: new Date(0), flag: true, items: [] },
  { _id: 'lists', a: [[1, 2], [5]], nan: Number.NaN },
]

/** Each filter, and the documents that match it, by MongoDB's documented semantics. */
const table: readonly (readonly [filter: Document, ids: readonly string[]])[] = [
  [{}, ['int', 'long', 'double', 'text', 'list', 'nested', 'none', 'lists']],
  [{ _id: 'int' }, ['int']],
  // Numbers are equal across their types, text is not a number; an array is asked by its elements.
  [{ a: 5 }, ['int', 'long', 'double', 'list']],
  [{ a: Long.fromNumber(5) }, ['int', 'long', 'double', 'list']],
  [{ a: '5' }, ['text']],
  [{ a: { $gt: 4, $lt: 6 } }, ['int', 'long', 'double', 'list']],
  [{ a: { $gt: 5 } }, ['list']],
  [{ a: { $gte: '5' } }, ['text']],
  [{ a: { $ne: 5 } }, ['text', 'nested', 'none', 'lists']],
  [{ a: { $in: [9, '5'] } }, ['text', 'list']],
  [{ a: { $nin: [5, '5'] } }, ['nested', 'none', 'lists']],
  [{ big: Long.fromString('9007199254740993') }, ['long']],
  [{ big: Long.fromString('9007199254740992') }, []],
  [{ big: { $gt: 9007199254740992 } }, ['long']],
  // null: also of what is not there.
  [{ n: null }, ['int', 'long', 'double', 'text', 'list', 'nested', 'none', 'lists']],
  [{ n: { $exists: true } }, ['int']],
  [{ n: { $type: 'null' } }, ['int']],
  [{ n: { $gte: null } }, ['int', 'long', 'double', 'text', 'list', 'nested', 'none', 'lists']],
  [{ a: { $exists: false } }, ['none']],
  [{ a: { $type: 'long' } }, ['long']],
  [{ a: { $type: 'double' } }, ['double']],
  [{ a: { $type: 'int' } }, ['int', 'list']],
  [{ a: { $type: 'number' } }, ['int', 'long', 'double', 'list']],
  [{ a: { $type: 'array' } }, ['list', 'lists']],
  [{ a: { $type: ['string', 'object'] } }, ['text', 'nested']],
  [{ nan: Number.NaN }, ['lists']],
  [{ nan: { $lte: 1 } }, []],
  // Paths.
  [{ 'a.b': 5 }, ['nested']],
  [{ 'a.c.d': { $lt: 2 } }, ['nested']],
  [{ 'a.0': 1 }, ['list', 'lists']],
  [{ 'a.2': 9 }, ['list']],
  [{ 'a.b': null }, ['int', 'long', 'double', 'text', 'none']],
  [{ a: [1, 5, 9] }, ['list']],
  [{ a: [5] }, ['lists']],
  [{ a: { b: 5, c: { d: 1 } } }, ['nested']],
  // The order of a document's fields counts.
  [{ a: { c: { d: 1 }, b: 5 } }, []],
  [{ items: { $size: 2 } }, ['list']],
  [{ items: [] }, ['none']],
  [{ 'items.k': 'y' }, ['list']],
  [{ 'items.q': { $all: [1, 7] } }, ['list']],
  // Two conditions of an array may be met by two elements, $elemMatch's by one.
  [{ 'items.k': 'x', 'items.q': 7 }, ['list', 'nested']],
  [{ items: { $elemMatch: { k: 'x', q: 7 } } }, ['nested']],
  [{ a: { $elemMatch: { $gt: 5, $lt: 10 } } }, ['list']],
  [{ a: { $not: { $gt: 4 } } }, ['text', 'nested', 'none', 'lists']],
  [{ s: /^apple/i }, ['int', 'long']],
  [{ s: { $regex: '^apple', $options: 'i' } }, ['int', 'long']],
  [{ s: { $regex: 'pie$' } }, ['long']],
  [{ s: { $in: [/^b/i, 'Apple'] } }, ['int', 'double', 'text']],
  [{ s: { $not: /^a/i } }, ['double', 'text', 'list', 'nested', 'none', 'lists']],
  [{ a: { $mod: [4, 1] } }, ['int', 'long', 'double', 'list']],
  [{ $or: [{ a: '5' }, { flag: true }] }, ['text', 'none']],
  [{ $and: [{ a: 5 }, { s: { $exists: true } }] }, ['int', 'long', 'double']],
  [{ $nor: [{ a: 5 }, { s: 'B' }] }, ['nested', 'none', 'lists']],
  [{ o: id }, ['text']],
  [{ when: { $lte: new Date(1) } }, ['none']],
  [{ flag: { $gt: false } }, ['none']],
  [{ $expr: { $gt: ['$d', 2] } }, ['double']],
  [{ $jsonSchema: { required: ['d'] } }, ['double']],
]

const wrong: readonly (readonly [filter: Document, code: number])[] = [
  [{ a: { $foo: 1 } }, 2],
  [{ $foo: 1 }, 2],
  [{ a: { $in: 5 } }, 2],
  [{ $or: [] }, 2],
  [{ $and: [5] }, 2],
  [{ a: { $regex: '(' } }, 51091],
  [{ a: { $regex: 'a', $options: 'z' } }, 51108],
  [{ a: { $mod: [0, 1] } }, 2],
  [{ a: { $type: 'nothing' } }, 2],
  [{ $expr: { $foo: 1 } }, 168],
]

contract('filters', (scene) => {
  const collection = () => scene().db.collection<Document & { _id: string }>('filters')
  before(async () => {
    await collection().insertMany(documents.map((document) => ({ ...document })) as (Document & { _id: string })[])
  })

  for (const [filter, ids] of table) {
    test(`${show(filter)} matches ${ids.length === 0 ? 'nothing' : ids.join(', ')}`, async () => {
      const found = await collection().find(filter).toArray()
      assert.deepEqual(found.map(({ _id }) => _id).sort(), [...ids].sort())
    })
  }

  for (const [filter, code] of wrong) {
    test(`${show(filter)} is refused with ${code}`, async () => {
      assert.equal((await refusal(collection().find(filter).toArray())).code, code)
    })
  }

  test('a sort goes by types first, by numbers of all types as one, and by the smallest of an array', async () => {
    const sorted = await collection()
      .find({}, { projection: { _id: 1 } })
      .sort({ a: 1, _id: 1 })
      .toArray()
    assert.deepEqual(
      sorted.map(({ _id }) => _id),
      ['none', 'list', 'double', 'int', 'long', 'text', 'nested', 'lists'],
    )
    const back = await collection()
      .find({ a: { $exists: true } })
      .sort({ a: -1, _id: 1 })
      .limit(3)
      .skip(1)
      .toArray()
    assert.deepEqual(
      back.map(({ _id }) => _id),
      ['nested', 'text', 'list'],
    )
  })

  test('an array without elements comes before null and before what is not there', async () => {
    const [first] = await collection().find().sort({ items: 1, _id: 1 }).toArray()
    assert.equal(first?._id, 'none')
    const last = (await collection().find().sort({ items: -1, _id: 1 }).toArray()).at(-1)
    assert.equal(last?._id, 'none')
  })

  test('a sort by two arrays side by side has no order, one by two fields in one array has', async () => {
    const both = { $or: [{ _id: 'list' }, { _id: 'lists' }] }
    assert.equal((await refusal(collection().find(both).sort({ a: 1, items: 1 }).toArray())).code, 2)
    const found = await collection().find({ _id: 'list' }).sort({ 'items.k': 1, 'items.q': -1 }).toArray()
    assert.equal(found.length, 1)
    const apart = await collection().find({ _id: 'nested' }).sort({ a: 1, items: 1 }).toArray()
    assert.equal(apart.length, 1)
  })

  const projections: readonly (readonly [projection: Document, expected: Document])[] = [
    [{ a: 1 }, { _id: 'nested', a: { b: 5, c: { d: 1 } } }],
    [{ 'a.b': 1, _id: 0 }, { a: { b: 5 } }],
    [{ a: 0 }, { _id: 'nested', items: [{ k: 'x', q: 7 }] }],
    [{ 'items.q': 0, _id: 0, a: 0 }, { items: [{ k: 'x' }] }],
    [{ 'items.k': 1, _id: 0 }, { items: [{ k: 'x' }] }],
    [
      { items: { $slice: 0 }, a: 0 },
      { _id: 'nested', items: [] },
    ],
    [{ items: { $elemMatch: { q: 7 } }, _id: 0 }, { items: [{ k: 'x', q: 7 }] }],
    [{ sum: { $add: ['$a.b', 1] }, _id: 0 }, { sum: 6 }],
    [{ a: { c: 1 } }, { _id: 'nested', a: { c: { d: 1 } } }],
  ]
  for (const [projection, expected] of projections) {
    test(`the projection ${show(projection)}`, async () => {
      assert.deepEqual(await collection().findOne({ _id: 'nested' }, { projection }), expected)
    })
  }

  test('a projection cannot name and leave out', async () => {
    const error = await refusal(collection().findOne({}, { projection: { a: 1, s: 0 } }))
    assert.equal(error.code, 31254)
  })

  test('counts and distinct values', async () => {
    assert.equal(await collection().countDocuments({ a: 5 }), 4)
    assert.equal(await collection().countDocuments({ a: 5 }, { skip: 1, limit: 2 }), 2)
    assert.equal(await collection().estimatedDocumentCount(), documents.length)
    assert.deepEqual(await collection().distinct('items.k'), ['x', 'y'])
    assert.deepEqual(await collection().distinct('s', { a: 5 }), ['Apple', 'apple pie', 'b'])
  })

  test('a number keeps its type, whatever it is', async () => {
    const found = await collection().findOne({ _id: 'double' }, { promoteValues: false, projection: { a: 1, d: 1 } })
    assert.deepEqual(found, { _id: 'double', a: new Double(5), d: new Double(2.5) })
    const other = await collection().findOne({ _id: 'int' }, { promoteValues: false, projection: { a: 1 } })
    assert.deepEqual(other, { _id: 'int', a: new Int32(5) })
  })
})

function show(value: Document): string {
  return JSON.stringify(value, (_key, inner: unknown) => (inner instanceof RegExp ? String(inner) : inner))
}
