import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decimal128, type Document, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

interface Row {
  readonly name: string
  readonly before: Document
  readonly update: Document | readonly Document[]
  readonly after: Document
  readonly filter?: Document
  readonly arrayFilters?: Document[]
}

const rows: readonly Row[] = [
  {
    name: '$set of a field and a path',
    before: { a: 1 },
    update: { $set: { a: 2, 'b.c': 3 } },
    after: { a: 2, b: { c: 3 } },
  },
  {
    name: '$set of an element',
    before: { a: [1, 2] },
    update: { $set: { 'a.1': 9, 'a.3': 7 } },
    after: { a: [1, 9, null, 7] },
  },
  {
    name: '$unset',
    before: { a: 1, b: { c: 1, d: 2 } },
    update: { $unset: { a: '', 'b.c': '', x: '' } },
    after: { b: { d: 2 } },
  },
  { name: '$unset of an element', before: { a: [1, 2] }, update: { $unset: { 'a.0': '' } }, after: { a: [null, 2] } },
  {
    name: '$inc and $mul',
    before: { a: 1, b: 4 },
    update: { $inc: { a: 2, n: 5 }, $mul: { b: 3, m: 2 } },
    after: { a: 3, b: 12, n: 5, m: 0 },
  },
  {
    name: '$min and $max',
    before: { a: 5, b: 5 },
    update: { $min: { a: 3, x: 1 }, $max: { b: 3 } },
    after: { a: 3, b: 5, x: 1 },
  },
  { name: '$rename', before: { a: 1, b: 2 }, update: { $rename: { a: 'c.d' } }, after: { b: 2, c: { d: 1 } } },
  { name: '$push', before: { a: [1] }, update: { $push: { a: 2, b: 'x' } }, after: { a: [1, 2], b: ['x'] } },
  {
    name: '$push of several, in order and cut',
    before: { a: [5, 1] },
    update: { $push: { a: { $each: [4, 2], $sort: 1, $slice: -3 } } },
    after: { a: [2, 4, 5] },
  },
  {
    name: '$push at a place',
    before: { a: [1, 2] },
    update: { $push: { a: { $each: [9], $position: 1 } } },
    after: { a: [1, 9, 2] },
  },
  { name: '$addToSet', before: { a: [1] }, update: { $addToSet: { a: { $each: [1, 2, 2] } } }, after: { a: [1, 2] } },
  { name: '$pull of a value', before: { a: [1, 2, 1] }, update: { $pull: { a: 1 } }, after: { a: [2] } },
  { name: '$pull by a condition', before: { a: [1, 5, 9] }, update: { $pull: { a: { $gte: 5 } } }, after: { a: [1] } },
  {
    name: '$pull of documents',
    before: { a: [{ k: 1, v: 1 }, { k: 2 }] },
    update: { $pull: { a: { k: 1 } } },
    after: { a: [{ k: 2 }] },
  },
  { name: '$pullAll', before: { a: [1, 2, 3] }, update: { $pullAll: { a: [1, 3] } }, after: { a: [2] } },
  {
    name: '$pop',
    before: { a: [1, 2, 3], b: [1, 2] },
    update: { $pop: { a: 1, b: -1 } },
    after: { a: [1, 2], b: [2] },
  },
  {
    name: 'the element that matched',
    before: { a: [{ k: 1 }, { k: 2 }] },
    filter: { 'a.k': 2 },
    update: { $set: { 'a.$.v': 'x' } },
    after: { a: [{ k: 1 }, { k: 2, v: 'x' }] },
  },
  {
    name: 'all elements',
    before: { a: [{ k: 1 }, { k: 2 }] },
    update: { $inc: { 'a.$[].k': 1 } },
    after: { a: [{ k: 2 }, { k: 3 }] },
  },
  {
    name: 'elements by array filters',
    before: { a: [{ k: 1 }, { k: 2 }, { k: 3 }] },
    update: { $set: { 'a.$[big].k': 0 } },
    arrayFilters: [{ 'big.k': { $gte: 2 } }],
    after: { a: [{ k: 1 }, { k: 0 }, { k: 0 }] },
  },
  { name: 'a replacement', before: { a: 1, b: 2 }, update: { c: 3 }, after: { c: 3 } },
  {
    name: 'a pipeline',
    before: { a: 2, b: 3 },
    update: [{ $set: { c: { $add: ['$a', '$b'] } } }, { $unset: 'a' }],
    after: { b: 3, c: 5 },
  },
]

const wrong: readonly (readonly [update: Document, code: number])[] = [
  [{ $foo: { a: 1 } }, 9],
  [{ $set: { a: 1 }, $inc: { a: 1 } }, 40],
  [{ $set: { a: 1, 'a.b': 1 } }, 40],
  [{ $set: { _id: 'other' } }, 66],
  [{ $inc: { text: 1 } }, 14],
  [{ $inc: { n: 'x' } }, 14],
  [{ $push: { n: 1 } }, 2],
  [{ $set: { 'n.x': 1 } }, 28],
  [{ $set: { 'list.$.x': 1 } }, 2],
  [{ $set: { 'list.$[e]': 1 } }, 2],
  [{ $set: { 'n.$': 1 } }, 2],
  [{ $set: { 'n.$[]': 1 } }, 2],
  [{ $set: { 'a..b': 1 } }, 56],
]

contract('updates', (scene) => {
  const collection = () => scene().db.collection<Document>('updates')

  for (const { name, before, update, after, filter, arrayFilters } of rows) {
    test(name, async () => {
      const _id = new ObjectId()
      await collection().insertOne({ _id, ...before })
      const options = arrayFilters === undefined ? {} : { arrayFilters }
      const isReplacement = !Array.isArray(update) && Object.keys(update)[0]?.startsWith('$') !== true
      const result = isReplacement
        ? await collection().replaceOne({ _id }, update)
        : await collection().updateOne({ _id, ...filter }, update as Document, options)
      assert.deepEqual(await collection().findOne({ _id }), { _id, ...after })
      assert.equal(result.matchedCount, 1)
      assert.equal(result.modifiedCount, 1)
    })
  }

  for (const [update, code] of wrong) {
    test(`${JSON.stringify(update)} is refused with ${code}, and changes nothing`, async () => {
      const _id = new ObjectId()
      const kept = { _id, text: 'x', n: 1, list: [1] }
      await collection().insertOne({ ...kept })
      const error = await refusal(collection().updateOne({ _id }, update))
      assert.equal(error.code, code, error.message)
      assert.deepEqual(await collection().findOne({ _id }), kept)
    })
  }

  test('an array filter that no path uses is refused', async () => {
    const _id = new ObjectId()
    await collection().insertOne({ _id, list: [1, 2] })
    const set = (path: string, ...names: readonly string[]) =>
      collection().updateOne({ _id }, { $set: { [path]: 9 } }, { arrayFilters: names.map((name) => ({ [name]: 2 })) })
    assert.equal((await refusal(set('list.$[a]', 'a', 'b'))).code, 9)
    assert.equal((await refusal(set('other', 'a'))).code, 9)
    const piped = collection().updateOne({ _id }, [{ $set: { other: 1 } }], { arrayFilters: [{ a: 1 }] })
    assert.equal((await refusal(piped)).code, 9)
    await set('list.$[a]', 'a')
    assert.deepEqual(await collection().findOne({ _id }), { _id, list: [1, 9] })
  })

  test('an update that changes nothing matches, and modifies nothing', async () => {
    const { insertedId } = await collection().insertOne({ a: 1, o: { x: [1] }, l: Long.fromNumber(1) })
    const result = await collection().updateOne({ _id: insertedId }, { $set: { a: 1, o: { x: [1] } } })
    assert.deepEqual([result.matchedCount, result.modifiedCount], [1, 0])
    // The same number of another type is a change.
    const other = await collection().updateOne({ _id: insertedId }, { $set: { l: new Int32(1) } })
    assert.equal(other.modifiedCount, 1)
  })

  test('types of other fields stay as they are', async () => {
    const typed = {
      _id: new ObjectId(),
      int: new Int32(1),
      long: Long.fromNumber(1),
      double: new Double(1),
      decimal: Decimal128.fromString('1.10'),
      when: new Date(1),
      at: new Timestamp({ t: 1, i: 2 }),
      nested: [{ long: Long.fromNumber(2), double: new Double(2) }],
    }
    await collection().insertOne({ ...typed })
    await collection().updateOne({ _id: typed._id }, { $set: { other: 'x' } })
    await collection().updateOne({ _id: typed._id }, [{ $set: { another: '$other' } }])
    const found = await collection().findOne({ _id: typed._id }, { promoteValues: false, bsonRegExp: true })
    assert.deepEqual(found, { ...typed, other: 'x', another: 'x' })
  })

  test('$inc gives the wider type, and an int that grows too large becomes a long', async () => {
    const _id = new ObjectId()
    await collection().insertOne({
      _id,
      a: new Int32(2147483647),
      b: Long.fromNumber(1),
      c: new Int32(1),
      d: new Double(0.5),
    })
    await collection().updateOne({ _id }, { $inc: { a: 1, b: 1, c: new Double(1.5), d: 0 + 0.5 } })
    const found = await collection().findOne({ _id }, { promoteValues: false })
    assert.deepEqual(found, {
      _id,
      a: Long.fromNumber(2147483648),
      b: Long.fromNumber(2),
      c: new Double(2.5),
      d: new Double(1),
    })
  })
})
