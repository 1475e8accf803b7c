import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Binary,
  BSONRegExp,
  Code,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb'
import { contract } from './testing/servers.js'

contract('types', (scene) => {
  test('every type of BSON comes back as it was sent', async () => {
    const collection = scene().db.collection<Document>('types')
    const sent = {
      _id: new ObjectId(),
      double: new Double(2),
      minusZero: new Double(-0),
      nan: new Double(Number.NaN),
      infinite: new Double(-Infinity),
      string: 'grüße, \u{1f600}, \u0000 too',
      object: { a: { b: {} } },
      array: [1, [2, []]].map((item) => (typeof item === 'number' ? new Int32(item) : [new Int32(2), []])),
      binary: new Binary(Buffer.from([0, 1, 255])),
      user: new Binary(Buffer.from([7]), 128),
      uuid: new UUID('0f34ca13-c27e-4b4d-804c-f9035d1e1c34'),
      yes: true,
      date: new Date(-1),
      nothing: null,
      regex: new BSONRegExp('^a.*$', 'im'),
      code: new Code('function () {}'),
      int: new Int32(-2147483648),
      timestamp: new Timestamp({ t: 4294967295, i: 1 }),
      long: Long.MIN_VALUE,
      decimal: Decimal128.fromString('-1.230E+10'),
      min: new MinKey(),
      max: new MaxKey(),
      '': 'an empty name',
      'sp ace': new Double(1.5),
      toString: 'a name that JavaScript has',
      constructor: 'and another',
    }
    await collection.insertOne({ ...sent })
    const found = await collection.findOne({ _id: sent._id }, { promoteValues: false, bsonRegExp: true })
    assert.deepEqual(found, sent)
  })

  test('a field named __proto__ is a field', async () => {
    const collection = scene().db.collection<Document>('types')
    const _id = new ObjectId()
    const document: Document = JSON.parse('{ "__proto__": { "polluted": true }, "a": { "__proto__": 1 } }')
    await collection.insertOne({ _id, ...document })
    await collection.updateOne({ _id }, { $set: { b: 1 } })
    const found = await collection.findOne({ _id })
    assert.deepEqual(Object.keys(found ?? {}), ['_id', '__proto__', 'a', 'b'])
    assert.equal(({} as Document).polluted, undefined)
  })

  test('values of all types in one order', async () => {
    const collection = scene().db.collection<Document>('order')
    const values: readonly unknown[] = [
      new MinKey(),
      null,
      new Double(Number.NaN),
      new Double(-Infinity),
      Long.MIN_VALUE,
      Decimal128.fromString('-10'),
      Decimal128.fromString('-9'),
      0,
      Decimal128.fromString('0.1'),
      0.1,
      Decimal128.fromString('9'),
      Decimal128.fromString('10'),
      Long.fromString('9007199254740993'),
      9007199254740994,
      1e300,
      Decimal128.fromString('1E+400'),
      '',
      'B',
      'a',
      '\uffff',
      '\u{1f600}',
      {},
      { a: 1 },
      { b: 0 },
      { a: 'x' },
      [],
      new Binary(Buffer.from([9])),
      new Binary(Buffer.from([1, 1])),
      new ObjectId('650000000000000000000001'),
      false,
      true,
      new Date(-5),
      new Date(5),
      new Timestamp({ t: 1, i: 1 }),
      new BSONRegExp('a'),
      new MaxKey(),
    ]
    // An array in a field is sorted by its elements; in a document it is a value.
    await collection.insertMany(values.map((value, place) => ({ place, in: { value } })).reverse())
    const sorted = await collection.find().sort({ in: 1 }).toArray()
    assert.deepEqual(
      sorted.map(({ place }) => values[Number(place)]),
      values,
    )
  })
})
