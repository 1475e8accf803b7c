import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { startTestMongo } from '@bulkhead/pocket-mongo/testing'
import type { Observation } from '@bulkhead/scenarios'
import { cleanUp } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'
import { makeAttempt } from '../attempt.js'
import { tcpServer } from '../testing/servers.js'

const root = { user: 'admin', password: 'the right one' }

function attempt(port: number, password?: string, timeoutMs = 4000): Promise<Observation> {
  return makeAttempt({
    kind: 'mongo',
    to: { ip: '127.0.0.1' },
    host: '127.0.0.1',
    port,
    timeoutMs,
    mongo: {
      user: root.user,
      database: 'shelf',
      authSource: 'admin',
      passwordFrom: { secret: 'a/b', key: 'password' },
    },
    ...(password !== undefined && { password }),
  })
}

describe('a MongoDB login', () => {
  it('is whole, with a question that only who is logged in is answered', async (t) => {
    const mongo = await startTestMongo({ root })
    cleanUp(t, () => mongo.close())
    const client = await MongoClient.connect(mongo.uri)
    await client.db('shelf').collection('jars').insertOne({})
    await client.db('shelf').collection('books').insertOne({})
    await client.close()
    const seen = await attempt(mongo.port, root.password)
    assert.deepEqual([seen.symptom, seen.detail], ['ok', { login: true, text: 'collections of shelf: books, jars' }])
    assert.ok(seen.bytes > 0)
  })

  it('that the server refuses is an answer: who hears it was let in', async (t) => {
    const mongo = await startTestMongo({ root })
    cleanUp(t, () => mongo.close())
    const seen = await attempt(mongo.port, 'a wrong one')
    assert.deepEqual([seen.symptom, seen.detail?.login, seen.detail?.code], ['ok', false, 18])
    assert.doesNotMatch(JSON.stringify(seen), /a wrong one/)
  })

  it('meets what a connection meets: a door that is closed, a reset, silence', async (t) => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as AddressInfo
    gone.close()
    await once(gone, 'close')
    const reset = await tcpServer(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()))
    const silent = await tcpServer(t, () => {})
    const symptoms = [
      (await attempt(port, 'x')).symptom,
      (await attempt(reset, 'x')).symptom,
      (await attempt(silent, 'x', 200)).symptom,
    ]
    assert.deepEqual(symptoms, ['refused', 'reset', 'no-answer'])
  })

  it('without a password cannot be made as it is written', async () => {
    await assert.rejects(attempt(1), { code: 'NO_MATERIAL', message: /"mongo.passwordFrom"/ })
  })
})
