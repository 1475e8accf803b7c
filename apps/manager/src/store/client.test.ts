import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'
import { prepareUser } from '../bootstrap/database.js'
import { testMongo } from '../testing/mongo.js'
import { createClient } from './client.js'

test('contract M21: a password of any characters logs in, and no message about a connection holds it', async (t) => {
  const mongo = await testMongo(t)
  const root = new MongoClient(mongo.rootUri)
  cleanUp(t, () => root.close())
  const at = { host: '127.0.0.1', port: mongo.port, user: 'm@n:a/g?e#r%', database: 'manager', options: '' }
  for (const password of ['p@ss:w/o?r#d', '%40%', '[::1]@', 'a bé&=+']) {
    await prepareUser(root, { database: 'manager', user: at.user, password })
    const client = createClient({ ...at, password })
    cleanUp(t, () => client.close())
    assert.equal((await client.db('manager').command({ connectionStatus: 1 })).ok, 1, password)
    const wrong = createClient({ ...at, password: `${password}, but wrong` })
    cleanUp(t, () => wrong.close())
    const away = createClient({ ...at, port: 1, password }, { serverSelectionTimeoutMS: 50 })
    cleanUp(t, () => away.close())
    for (const failing of [wrong, away])
      await assert.rejects(failing.db('manager').command({ ping: 1 }), (error: Error) => {
        const told = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`
        assert.match(told, failing === wrong ? /Authentication failed/ : /ECONNREFUSED/)
        assert.ok(!told.includes(password) && !told.includes(encodeURIComponent(password)), told)
        return true
      })
  }
})
