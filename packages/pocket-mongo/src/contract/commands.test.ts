import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Document, MongoServerError } from 'mongodb'
import { contract, refusal } from './testing/servers.js'

const wrong: readonly (readonly [what: string, command: Document, code: number])[] = [
  ['a command that there is none of', { frobnicate: 1 }, 59],
  ['a field that there is none of', { find: 'x', frobnicate: 1 }, 40415],
  ['a field of the wrong type', { find: 'x', filter: 5 }, 14],
  ['a field that is missing', { insert: 'x' }, 40414],
  ['a batch without anything in it', { insert: 'x', documents: [] }, 16],
  ['a statement with a field that there is none of', { update: 'x', updates: [{ q: {}, u: {}, w: 1 }] }, 40415],
  ['a delete of some', { delete: 'x', deletes: [{ q: {}, limit: 2 }] }, 9],
  ['a collection that is a number', { find: 5 }, 73],
  ['a pipeline of something else', { aggregate: 'x', pipeline: [5], cursor: {} }, 14],
  ['a stage that there is none of', { aggregate: 'x', pipeline: [{ $frobnicate: 1 }], cursor: {} }, 40324],
  ['an aggregate without a cursor', { aggregate: 'x', pipeline: [] }, 9],
  ['an update of many by a replacement', { update: 'x', updates: [{ q: {}, u: { a: 1 }, multi: true }] }, 9],
  ['more members than there are', { insert: 'x', documents: [{}], writeConcern: { w: 3 } }, 100],
  ['findAndModify of nothing', { findAndModify: 'x' }, 9],
  ['a database that is not admin', { replSetGetStatus: 1 }, 13],
]

contract('commands', (scene) => {
  for (const [what, command, code] of wrong) {
    test(`${what} is refused with ${code}`, async () => {
      assert.equal(await codeOf(scene().db.command(command)), code)
    })
  }

  test('who it is', async () => {
    const { db, client } = scene()
    const hello = await db.command({ hello: 1 })
    assert.equal(hello.isWritablePrimary, true)
    assert.equal(typeof hello.setName, 'string')
    assert.equal(hello.maxBsonObjectSize, 16 * 1024 * 1024)
    assert.equal(hello.logicalSessionTimeoutMinutes, 30)
    assert.match((await db.command({ buildInfo: 1 })).version, /^\d+\.\d+\.\d+/)
    const { authInfo } = await db.command({ connectionStatus: 1 })
    assert.equal(authInfo.authenticatedUsers[0].user, 'admin')
    const status = await client.db('admin').command({ replSetGetStatus: 1 })
    assert.equal(status.members[0].stateStr, 'PRIMARY')
    assert.equal((await refusal(client.db('admin').command({ replSetInitiate: {} }))).code, 23)
  })
})

/** Told as the command's failure, or as that of a statement in it. */
async function codeOf(work: Promise<Document>): Promise<unknown> {
  try {
    const { writeErrors, writeConcernError } = await work
    return writeErrors?.[0].code ?? writeConcernError?.code
  } catch (error) {
    if (error instanceof MongoServerError) return error.code
    throw error
  }
}
