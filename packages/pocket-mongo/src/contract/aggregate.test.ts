import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type Document, Double, Int32, Long, ObjectId } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

const owner = new ObjectId('650000000000000000000001')
const orders: readonly Document[] = [
  { _id: 1, who: 'ada', sum: 10, tags: ['a', 'b'], owner, at: Long.fromNumber(1700000000000) },
  { _id: 2, who: 'bob', sum: 5, tags: [] },
  { _id: 3, who: 'ada', sum: 2.5, tags: ['b'], owner },
  { _id: 4, who: 'eve', tags: 'c' },
]

const rows: readonly (readonly [pipeline: readonly Document[], expected: readonly Document[]])[] = [
  [
    [{ $match: { who: 'ada' } }, { $sort: { _id: -1 } }, { $limit: 1 }, { $project: { sum: 1 } }],
    [{ _id: 3, sum: 2.5 }],
  ],
  [
    [{ $group: { _id: '$who', n: { $sum: 1 }, sum: { $sum: '$sum' }, most: { $max: '$sum' } } }, { $sort: { _id: 1 } }],
    [
      { _id: 'ada', n: 2, sum: 12.5, most: 10 },
      { _id: 'bob', n: 1, sum: 5, most: 5 },
      { _id: 'eve', n: 1, sum: 0, most: null },
    ],
  ],
  [
    [
      { $group: { _id: '$owner', ids: { $push: '$_id' }, avg: { $avg: '$sum' }, first: { $first: '$who' } } },
      { $sort: { _id: 1 } },
    ],
    [
      { _id: null, ids: [2, 4], avg: 5, first: 'bob' },
      { _id: owner, ids: [1, 3], avg: 6.25, first: 'ada' },
    ],
  ],
  [[{ $group: { _id: null, all: { $addToSet: '$who' } } }, { $project: { _id: 0, n: { $size: '$all' } } }], [{ n: 3 }]],
  [
    [{ $unwind: '$tags' }, { $project: { tags: 1 } }],
    [
      { _id: 1, tags: 'a' },
      { _id: 1, tags: 'b' },
      { _id: 3, tags: 'b' },
      { _id: 4, tags: 'c' },
    ],
  ],
  [
    [
      { $unwind: { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
      { $match: { _id: 2 } },
      { $project: { i: 1 } },
    ],
    [{ _id: 2, i: null }],
  ],
  [
    [{ $match: { _id: 1 } }, { $set: { 'in.side': { $add: ['$sum', 1] } } }, { $project: { in: 1 } }],
    [{ _id: 1, in: { side: 11 } }],
  ],
  [[{ $match: { _id: 1 } }, { $unset: ['tags', 'owner', 'at'] }], [{ _id: 1, who: 'ada', sum: 10 }]],
  [[{ $match: { _id: 1 } }, { $replaceRoot: { newRoot: { name: '$who' } } }], [{ name: 'ada' }]],
  [[{ $match: { sum: { $exists: true } } }, { $count: 'n' }], [{ n: 3 }]],
  [[{ $sortByCount: '$who' }, { $limit: 1 }], [{ _id: 'ada', count: 2 }]],
  [
    [
      { $match: { _id: 2 } },
      { $lookup: { from: 'orders', localField: 'sum', foreignField: 'sum', as: 'same' } },
      { $project: { 'same._id': 1 } },
    ],
    [{ _id: 2, same: [{ _id: 2 }] }],
  ],
  [
    [
      { $match: { _id: 3 } },
      {
        $lookup: {
          from: 'orders',
          let: { sum: '$sum' },
          pipeline: [
            { $match: { $expr: { $gt: ['$sum', '$$sum'] } } },
            { $sort: { _id: 1 } },
            { $project: { _id: 1 } },
          ],
          as: 'larger',
        },
      },
      { $project: { larger: 1 } },
    ],
    [{ _id: 3, larger: [{ _id: 1 }, { _id: 2 }] }],
  ],
  [
    [{ $facet: { n: [{ $count: 'n' }], first: [{ $sort: { _id: 1 } }, { $limit: 1 }, { $project: { _id: 1 } }] } }],
    [{ n: [{ n: 4 }], first: [{ _id: 1 }] }],
  ],
  [
    [
      { $match: { _id: 1 } },
      { $project: { _id: 0, up: { $toUpper: '$who' }, big: { $cond: [{ $gte: ['$sum', 10] }, 'yes', 'no'] } } },
    ],
    [{ up: 'ADA', big: 'yes' }],
  ],
  [[{ $skip: 3 }, { $project: { who: 1 } }], [{ _id: 4, who: 'eve' }]],
  [[{ $match: { who: 'nobody' } }, { $count: 'n' }], []],
  [[{ $match: { _id: 2 } }, { $project: { _id: 1 } }, { $unionWith: 'orders' }, { $count: 'n' }], [{ n: 5 }]],
  [
    [
      { $match: { _id: 1 } },
      { $unionWith: { coll: 'orders', pipeline: [{ $match: { _id: 2 } }] } },
      { $project: { who: 1 } },
    ],
    [
      { _id: 1, who: 'ada' },
      { _id: 2, who: 'bob' },
    ],
  ],
  [
    [{ $match: { _id: 1 } }, { $replaceWith: { $mergeObjects: [{ at: 0 }, { name: '$who' }] } }],
    [{ at: 0, name: 'ada' }],
  ],
  [[{ $sample: { size: 10 } }, { $count: 'n' }], [{ n: 4 }]],
  [[{ $sample: { size: 3 } }, { $group: { _id: '$_id' } }, { $count: 'n' }], [{ n: 3 }]],
  [
    [
      { $match: { who: 'ada' } },
      { $sort: { _id: 1 } },
      {
        $group: {
          _id: null,
          all: { $mergeObjects: { id: '$_id', at: '$at' } },
          last: { $last: '$sum' },
          n: { $count: {} },
        },
      },
      { $unset: 'all.at' },
    ],
    [{ _id: null, all: { id: 3 }, last: 2.5, n: 2 }],
  ],
  [[{ $match: { _id: 1 } }, { $project: { two: { $slice: ['$tags', -1] }, _id: 0 } }], [{ two: ['b'] }]],
]

contract('aggregation', (scene) => {
  const collection = () => scene().db.collection<Document & { _id: number }>('orders')
  before(async () => {
    await collection().insertMany(orders.map((order) => ({ ...order })) as (Document & { _id: number })[])
  })

  for (const [pipeline, expected] of rows) {
    test(JSON.stringify(pipeline), async () => {
      assert.deepEqual(
        await collection()
          .aggregate([...pipeline])
          .toArray(),
        expected,
      )
    })
  }

  test('what passes through keeps its type', async () => {
    const found = await collection()
      .aggregate(
        [
          { $match: { _id: 1 } },
          { $group: { _id: '$at', n: { $sum: 1 } } },
          { $set: { again: '$_id', half: { $add: ['$n', 0.5] } } },
        ],
        { promoteValues: false },
      )
      .toArray()
    const at = Long.fromNumber(1700000000000)
    assert.deepEqual(found, [{ _id: at, n: new Int32(1), again: at, half: new Double(1.5) }])
  })

  test('what is wrong is told', async () => {
    const code = async (...pipeline: Document[]) => (await refusal(collection().aggregate(pipeline).toArray())).code
    assert.equal(await code({ $project: { a: { $frobnicate: 1 } } }), 31325)
    assert.equal(await code({ $group: { n: { $sum: 1 } } }), 15955)
    assert.equal(await code({ $limit: 0 }), 15958)
    assert.equal(await code({ $match: 5 }), 15959)
    assert.equal(await code({ $unwind: 'tags' }), 28818)
    assert.equal(await code({ $match: {}, $limit: 1 }), 40323)
    assert.equal(await code({ $group: { _id: null, n: { $frobnicate: 1 } } }), 15952)
    assert.equal(await code({ $group: { _id: null, n: { $mergeObjects: '$who' } } }), 40400)
    assert.equal(await code({ $replaceWith: '$who' }), 40228)
    assert.equal(await code({ $sample: { size: 'x' } }), 28746)
    assert.equal(await code({ $sample: {} }), 28749)
    assert.equal(await code({ $documents: [{ a: 1 }] }), 40602)
  })

  test('$documents stands alone', async () => {
    const made = await scene()
      .db.aggregate([{ $documents: [{ a: 1 }, { a: { $add: [1, 1] } }] }, { $match: { a: { $gt: 1 } } }])
      .toArray()
    assert.deepEqual(made, [{ a: 2 }])
  })
})
