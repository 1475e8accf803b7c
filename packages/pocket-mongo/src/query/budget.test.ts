import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { cleanUp, wholeSuite } from '@bulkhead/testing'
import { type Document, MongoClient, MongoServerError } from 'mongodb'
import { startTestMongo } from '../testing/index.js'

interface Row extends Document {
  readonly _id: number
}

const suite = wholeSuite()
let client: MongoClient

before(async () => {
  const server = await startTestMongo()
  cleanUp(suite, () => server.close())
  client = new MongoClient(server.uri)
  cleanUp(suite, () => client.close())
  const one: Row = { _id: 1, a: [1, 2], text: 'x'.repeat(1_000_000) }
  const many: readonly Row[] = Array.from({ length: 3_000 }, (_none, n) => ({ _id: n + 2, n }))
  await collection().insertMany([one, ...many])
})

const collection = () => client.db('a').collection<Row>('x')

/** What an aggregation over one document came to: the number of its refusal. */
async function outcome(stages: readonly Document[], options: Document = {}): Promise<unknown> {
  try {
    await collection()
      .aggregate([{ $match: { _id: 1 } }, ...stages], options)
      .toArray()
    return 'answered'
  } catch (error) {
    if (error instanceof MongoServerError) return error.code
    throw error
  }
}

const size = (value: unknown): readonly Document[] => [{ $project: { n: { $size: value } } }]
const doubled = (times: number, initialValue: unknown, value: unknown) => ({
  $reduce: { input: { $range: [0, times] }, initialValue, in: value },
})
const thousands = { $range: [0, 5_000] }

const refusals: Readonly<Record<string, readonly [stages: readonly Document[], code: number]>> = {
  'a range of a billion': [size({ $range: [0, 1_000_000_000] }), 146],
  'an array doubled 28 times': [size(doubled(28, [1], { $concatArrays: ['$$value', '$$value'] })), 10334],
  'a text doubled 30 times': [
    [{ $project: { n: { $strLenCP: doubled(30, 'xxxxxxxx', { $concat: ['$$value', '$$value'] }) } } }],
    10334,
  ],
  'arrays in an array, twice each, 40 times': [
    [{ $project: { n: { $eq: [doubled(40, [1], ['$$value', '$$value']), 1] } } }],
    10334,
  ],
  'documents in a document, twice each, by 40 stages': [
    Array.from({ length: 40 }, () => ({ $set: { a: { b: '$a', c: '$a' } } })),
    10334,
  ],
  'a value in itself 300 times': [[{ $project: { n: doubled(300, 1, ['$$value']) } }], 15],
  'ranges in a range': [size({ $map: { input: thousands, in: thousands } }), 146],
  'a large text in each of many elements': [[{ $project: { n: { $map: { input: thousands, in: '$text' } } } }], 10334],
  'two arrays unwound': [
    [
      { $set: { a: { $range: [0, 3_000] }, b: { $range: [0, 3_000] } } },
      { $unwind: '$a' },
      { $unwind: '$b' },
      { $count: 'n' },
    ],
    146,
  ],
  'a large document unwound': [[{ $set: { a: { $range: [0, 3_000] } } }, { $unwind: '$a' }], 146],
  'a collection joined with itself, twice': [
    [
      { $lookup: { from: 'x', pipeline: [], as: 'a' } },
      { $unwind: '$a' },
      { $lookup: { from: 'x', pipeline: [], as: 'b' } },
      { $unwind: '$b' },
      { $count: 'n' },
    ],
    146,
  ],
  'a pipeline that doubles in each facet': [
    Array.from({ length: 12 }, () => ({ $facet: { a: [], b: [], c: [], d: [] } })),
    10334,
  ],
  'a large text pushed for each element': [
    [{ $set: { a: { $range: [0, 3_000] } } }, { $unwind: '$a' }, { $group: { _id: null, all: { $push: '$text' } } }],
    10334,
  ],
}

for (const [what, [stages, code]] of Object.entries(refusals)) {
  test(`refused: ${what}`, async () => {
    const begun = process.cpuUsage()
    assert.equal(await outcome(stages), code)
    // Of the processor's time, whoever else wants it.
    assert.ok(process.cpuUsage(begun).user < 10_000_000, 'it took long')
    assert.equal((await collection().findOne({ _id: 2 }))?.n, 0)
  })
}

test('less of the same is answered', async () => {
  assert.equal(await outcome(size({ $range: [0, 100_000] })), 'answered')
  assert.equal(await outcome(size(doubled(16, [1], { $concatArrays: ['$$value', '$$value'] }))), 'answered')
  assert.equal(await outcome(size({ $map: { input: { $range: [0, 100] }, in: { $range: [0, 100] } } })), 'answered')
  const texts = [{ $match: { $expr: { $eq: [{ $strLenCP: { $concat: ['$$ROOT.text', 'x'] } }, 1_000_001] } } }]
  assert.equal(await outcome(texts), 'answered')
})

test('what is made for a test alone is given back: 3,000 times 100 KB', async () => {
  const filter = { $expr: { $eq: [{ $size: { $range: [0, { $add: [12_000, { $ifNull: ['$n', 0] }] }] } }, 12_007] } }
  assert.equal(await collection().countDocuments(filter), 1)
})

test('what a value was made of is given back: 3,000 arrays of 200, each made one element at a time', async () => {
  const list = {
    $reduce: { input: { $range: [0, 200] }, initialValue: [], in: { $concatArrays: ['$$value', ['$$this']] } },
  }
  const [found] = await collection()
    .aggregate([{ $project: { list } }, { $group: { _id: null, n: { $sum: { $size: '$list' } } } }])
    .toArray()
  assert.equal(found?.n, 3_001 * 200)
})

test('maxTimeMS ends what takes long and makes nothing', async () => {
  const loop = (inner: unknown): unknown => ({ $reduce: { input: { $range: [0, 3_000] }, initialValue: 0, in: inner } })
  const stages = [{ $project: { n: loop(loop(loop({ $add: ['$$value', 1] }))) } }]
  const begun = Date.now()
  assert.equal(await outcome(stages, { maxTimeMS: 200 }), 50)
  assert.ok(Date.now() - begun < 5_000)
})

test('an update by a pipeline is bounded too', async () => {
  const update = collection().updateOne({ _id: 1 }, [{ $set: { a: { $range: [0, 1_000_000_000] } } }])
  await assert.rejects(update, { code: 146 })
})
