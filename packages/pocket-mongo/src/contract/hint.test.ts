import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Document, Hint } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

contract('hints', (scene) => {
  const fresh = async (name: string) => {
    const collection = scene().db.collection<Document>(name)
    await collection.insertMany([1, 2, 3].map((k) => ({ k, of: 'all' })))
    await collection.createIndex({ k: 1, of: -1 }, { name: 'by_k' })
    return collection
  }
  const uses = (collection: Awaited<ReturnType<typeof fresh>>, hint: Hint): readonly (() => Promise<unknown>)[] => [
    () => collection.find({ k: 2 }, { hint }).toArray(),
    () => collection.find({}, { hint }).sort({ k: -1 }).toArray(),
    () => collection.countDocuments({ k: 2 }, { hint }),
    () => scene().db.command({ count: collection.collectionName, query: {}, hint }),
    () => collection.distinct('k', {}, { hint }),
    () => collection.aggregate([{ $match: { k: 2 } }, { $count: 'n' }], { hint }).toArray(),
    () => collection.updateOne({ k: 2 }, { $set: { seen: true } }, { hint }),
    () => collection.updateMany({ k: 2 }, { $set: { seen: true } }, { hint }),
    () => collection.findOneAndUpdate({ k: 2 }, { $set: { seen: true } }, { hint: hint as Document }),
    () => collection.findOneAndDelete({ k: 4 }, { hint: hint as Document }),
    () => collection.deleteOne({ k: 2 }, { hint }),
    () => collection.deleteMany({ k: 2 }, { hint }),
  ]

  test('one that names an index, by its name or its fields, is taken', async () => {
    const collection = await fresh('named')
    for (const hint of ['by_k', { k: 1, of: -1 }, '_id_', { _id: 1 }, { $natural: 1 }] as const)
      for (const [at, use] of uses(collection, hint).entries())
        await assert.doesNotReject(use(), `use ${at} with ${JSON.stringify(hint)}`)
    assert.equal(await collection.countDocuments({}, { hint: 'by_k' }), 2)
  })

  test('one that names none is BadValue, wherever it is, and nothing is done', async () => {
    const collection = await fresh('none')
    for (const hint of ['by_of', { k: 1 }, { of: -1, k: 1 }, { k: 1, of: 1 }, { k: 1, of: -1, more: 1 }] as const)
      for (const [at, use] of uses(collection, hint).entries()) {
        const { code, message } = await refusal(use())
        assert.equal(code, 2, `use ${at} with ${JSON.stringify(hint)}: ${message}`)
        assert.match(message, /hint provided does not correspond to an existing index/)
      }
    assert.equal(await collection.countDocuments({ seen: { $exists: false } }), 3)
  })

  test('a hint for a collection that is not there is none', async () => {
    const collection = scene().db.collection('nowhere')
    assert.deepEqual(await collection.find({}, { hint: 'by_k' }).toArray(), [])
    assert.equal((await collection.deleteOne({}, { hint: 'by_k' })).deletedCount, 0)
  })

  test('what is neither a name nor fields is no hint', async () => {
    await fresh('odd')
    for (const hint of [5, [1], true])
      assert.ok([9, 14].includes(Number((await refusal(scene().db.command({ find: 'odd', hint }))).code)), String(hint))
  })
})
