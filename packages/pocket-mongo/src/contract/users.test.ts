import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { cleanUp, wholeSuite } from '@bulkhead/testing'
import { type Document, MongoClient, MongoServerError } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

contract('users and roles', (scene) => {
  const suite = wholeSuite()
  const as = (name: string, password = 'ein Paßwort'): MongoClient => {
    const { uri, db } = scene()
    const url = new URL(uri)
    url.username = encodeURIComponent(name)
    url.password = encodeURIComponent(password)
    url.searchParams.set('authSource', db.databaseName)
    const client = new MongoClient(url.href, { serverSelectionTimeoutMS: 5_000 })
    cleanUp(suite, () => client.close())
    return client
  }
  const people = ['reader', 'writer', 'owner', 'other', 'fr=ed, the 2nd']
  before(async () => {
    const { db } = scene()
    const elsewhere = `${db.databaseName}_2`
    const add = (createUser: string, roles: readonly unknown[]) =>
      db.command({ createUser, pwd: 'ein Paßwort', roles, mechanisms: ['SCRAM-SHA-256'] })
    for (const dropUser of people) cleanUp(suite, () => scene().db.command({ dropUser }))
    await add('reader', ['read'])
    await add('writer', ['readWrite'])
    await add('owner', ['dbOwner'])
    await add('other', [{ role: 'readWrite', db: elsewhere }])
    await add('fr=ed, the 2nd', ['read'])
    await db.collection('things').insertOne({ a: 1 })
  })

  const rows: readonly (readonly [user: string, what: string, command: Document, allowed: boolean])[] = [
    ['reader', 'find', { find: 'things' }, true],
    ['reader', 'aggregate', { aggregate: 'things', pipeline: [], cursor: {} }, true],
    ['reader', 'insert', { insert: 'things', documents: [{}] }, false],
    ['reader', 'update', { update: 'things', updates: [{ q: {}, u: { $set: { a: 2 } } }] }, false],
    ['reader', 'delete', { delete: 'things', deletes: [{ q: {}, limit: 0 }] }, false],
    ['reader', 'findAndModify', { findAndModify: 'things', query: {}, remove: true }, false],
    ['reader', 'createIndexes', { createIndexes: 'things', indexes: [{ key: { z: 1 }, name: 'z_1' }] }, false],
    ['reader', 'drop', { drop: 'things' }, false],
    ['writer', 'find', { find: 'things' }, true],
    ['writer', 'insert', { insert: 'things', documents: [{ by: 'writer' }] }, true],
    ['writer', 'create', { create: 'made-by-writer' }, true],
    ['writer', 'createIndexes', { createIndexes: 'things', indexes: [{ key: { z: 1 }, name: 'z_1' }] }, true],
    ['writer', 'collMod', { collMod: 'things', validator: {} }, false],
    ['writer', 'createUser', { createUser: 'mine', pwd: 'x', roles: ['readWrite'] }, false],
    ['writer', 'updateUser', { updateUser: 'writer', roles: ['dbOwner'] }, false],
    ['writer', 'dropDatabase', { dropDatabase: 1 }, false],
    ['writer', 'a find of the users', { find: 'system.users' }, false],
    ['owner', 'collMod', { collMod: 'things', validator: {} }, true],
    ['owner', 'usersInfo', { usersInfo: 1 }, true],
    [
      'owner',
      'a role in another database',
      { createUser: 'mine', pwd: 'x', roles: [{ role: 'read', db: 'admin' }] },
      false,
    ],
    ['owner', 'the role root', { createUser: 'mine', pwd: 'x', roles: [{ role: 'root', db: 'admin' }] }, false],
    ['other', 'find', { find: 'things' }, false],
    ['other', 'listCollections', { listCollections: 1 }, false],
    ['other', 'ping', { ping: 1 }, true],
    ['fr=ed, the 2nd', 'find', { find: 'things' }, true],
  ]
  for (const [user, what, command, allowed] of rows) {
    test(`${user} ${allowed ? 'may' : 'may not'} ${what}`, async () => {
      const work = as(user).db(scene().db.databaseName).command(command)
      if (allowed) assert.equal((await work).ok, 1)
      else assert.equal((await refusal(work)).code, 13)
    })
  }

  test('a user of one database sees no other in the list', async () => {
    const { databases } = await as('reader').db('admin').command({ listDatabases: 1, nameOnly: true })
    assert.deepEqual(databases, [{ name: scene().db.databaseName }])
  })

  test('a wrong password and an unknown name are refused alike', async () => {
    const refused = async (client: MongoClient) => {
      try {
        await client.connect()
      } catch (error) {
        if (error instanceof MongoServerError) return { code: error.code, message: error.message }
        throw error
      }
      throw new Error('it was let in')
    }
    const wrong = await refused(as('reader', 'another'))
    assert.equal(wrong.code, 18)
    assert.deepEqual(await refused(as('nobody', 'another')), wrong)
    await as('reader').connect()
  })

  test('who has not logged in may say hello, and nothing else', async () => {
    const url = new URL(scene().uri)
    url.username = ''
    url.password = ''
    url.searchParams.delete('authSource')
    const client = new MongoClient(url.href)
    try {
      const db = client.db(scene().db.databaseName)
      assert.equal((await db.command({ hello: 1 })).ok, 1)
      for (const command of [
        { find: 'things' },
        { insert: 'things', documents: [{}] },
        { usersInfo: 1 },
        { dropDatabase: 1 },
      ])
        assert.equal((await refusal(db.command(command))).code, 13)
      assert.equal((await refusal(client.db('admin').command({ listDatabases: 1 }))).code, 13)
    } finally {
      await client.close()
    }
  })

  test('a change of roles and of password, and a user who goes', async () => {
    const { db } = scene()
    await db.command({ createUser: 'brief', pwd: 'first', roles: [] })
    assert.equal((await refusal(db.command({ createUser: 'brief', pwd: 'x', roles: [] }))).code, 51003)
    const client = as('brief', 'first')
    const find = () => client.db(db.databaseName).command({ find: 'things' })
    assert.equal((await refusal(find())).code, 13)
    await db.command({ updateUser: 'brief', roles: ['read'] })
    assert.equal((await find()).ok, 1)
    await db.command({ updateUser: 'brief', pwd: 'second' })
    await as('brief', 'second').connect()
    await assert.rejects(as('brief', 'first').connect(), { code: 18 })
    const { users } = await db.command({ usersInfo: 'brief' })
    assert.deepEqual(users[0].roles, [{ role: 'read', db: db.databaseName }])
    assert.equal(users[0].credentials, undefined)
    await db.command({ dropUser: 'brief' })
    assert.equal((await refusal(db.command({ dropUser: 'brief' }))).code, 11)
    assert.equal((await refusal(db.command({ createUser: 'odd', pwd: 'x', roles: ['king'] }))).code, 31)
  })
})
