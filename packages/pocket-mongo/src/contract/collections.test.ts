import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Document } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

const schema = {
  $jsonSchema: {
    bsonType: 'object',
    required: ['name'],
    properties: { name: { bsonType: 'string', minLength: 2 }, age: { bsonType: 'int', minimum: 0 } },
  },
}

contract('collections', (scene) => {
  test('made, listed, renamed by nobody, dropped', async () => {
    const { db } = scene()
    await db.createCollection('made')
    await db.collection('alone').insertOne({})
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name)
    assert.ok(names.includes('made') && names.includes('alone'))
    const [info] = await db.listCollections({ name: 'made' }).toArray()
    assert.equal(info?.type, 'collection')
    assert.equal(await db.collection('made').drop(), true)
    assert.deepEqual(await db.listCollections({ name: 'made' }).toArray(), [])
    assert.deepEqual(await db.collection('made').find().toArray(), [])
    const { databases } = await scene().client.db('admin').admin().listDatabases({ nameOnly: true })
    assert.ok(databases.some(({ name }) => name === db.databaseName))
  })

  test('a validator refuses what is not valid, and says why', async () => {
    const { db } = scene()
    const people = await db.createCollection<Document>('people', { validator: schema })
    await people.insertOne({ name: 'Ada', age: 36 })
    const error = await refusal(people.insertOne({ name: 'A', age: 36 }))
    assert.equal(error.code, 121)
    assert.equal(error.message, 'Document failed validation')
    const { errInfo } = error
    assert.equal(errInfo?.details.operatorName, '$jsonSchema')
    assert.equal(errInfo?.details.schemaRulesNotSatisfied[0].propertiesNotSatisfied[0].propertyName, 'name')
    assert.equal((await refusal(people.updateOne({ name: 'Ada' }, { $set: { age: 'old' } }))).code, 121)
    assert.equal((await refusal(people.updateOne({ name: 'Ada' }, { $set: { age: 36.5 } }))).code, 121)
    assert.equal((await people.findOne({ name: 'Ada' }))?.age, 36)
    await db.command({ collMod: 'people', validator: {} })
    await people.insertOne({ name: 'A' })
    const [info] = await db.listCollections({ name: 'people' }).toArray()
    assert.deepEqual((info as { options?: Document } | undefined)?.options?.validator ?? {}, {})
  })

  test('a name that is none', async () => {
    const { db } = scene()
    assert.equal((await refusal(db.command({ create: '' }))).code, 73)
    assert.equal((await refusal(db.command({ insert: '', documents: [{}] }))).code, 73)
    assert.equal((await refusal(db.command({ collMod: 'nowhere', validator: {} }))).code, 26)
  })

  test('a document may have 16 MiB, and not more', async () => {
    const collection = scene().db.collection<Document>('large')
    const text = 'x'.repeat(16 * 1024 * 1024 - 100)
    const { insertedId } = await collection.insertOne({ text })
    assert.equal((await collection.findOne({ _id: insertedId }))?.text.length, text.length)
    const error = await refusal(collection.updateOne({ _id: insertedId }, { $set: { more: 'x'.repeat(100) } }))
    const half = 'x'.repeat(9_000_000)
    await collection.insertMany([1, 2].map((n) => ({ half: `${n}${half}` })))
    const grouped = collection.aggregate([{ $group: { _id: 1, all: { $push: '$half' } } }]).toArray()
    assert.ok([10334, 17419, 17420].includes(Number((await refusal(grouped)).code)))
    assert.ok([10334, 17217].includes(Number((await refusal(collection.distinct('half'))).code)))
    assert.ok([10334, 17419, 17420].includes(Number(error.code)), `${error.code}: ${error.message}`)
  })
})
