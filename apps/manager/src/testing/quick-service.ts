import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { createLog } from '@bulkhead/service-kit'
import supertest from 'supertest'
import { createApp } from '../app.js'
import { createIdentity } from '../auth/identity.js'
import { createPasswords } from '../auth/passwords.js'
import { Throttle } from '../auth/throttle.js'
import type { TestManager } from './manager.js'

/** A service on the manager's database that hashes nothing and slows nobody: this is about who may what. */
export async function quickService(t: Pick<TestContext, 'after'>, m: TestManager) {
  const never = { free: Number.POSITIVE_INFINITY, longestMs: 0 }
  const identity = createIdentity({
    store: m.store,
    key: m.key,
    passwords: createPasswords({
      hash: async (plain) => `hash of ${plain}`,
      verify: async (phc, plain) => phc === `hash of ${plain}`,
    }),
    throttle: new Throttle({ pair: never, account: never, address: never, forgetMs: 1, maxEntries: 10, maxWaitMs: 1 }),
  })
  const { store, cluster, push, key } = m
  const log = createLog({ name: 'manager', level: 'fatal', write: () => {} })
  const { server } = createApp({
    store,
    cluster,
    push,
    log,
    config: { key, admin: { email: '', password: '' } },
    identity,
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { agent: supertest(server), identity }
}
