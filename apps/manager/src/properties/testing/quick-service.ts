import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createLog } from '@bulkhead/service-kit'
import { cleanUp, type Scope } from '@bulkhead/testing'
import { Pool } from 'undici'
import { createApp } from '../../app.js'
import { createIdentity, type Identity } from '../../auth/identity.js'
import { createPasswords } from '../../auth/passwords.js'
import { Throttle } from '../../auth/throttle.js'
import type { Route } from '../../http/route.js'
import { createNodeSync } from '../../push/node-sync.js'
import { routesOf } from '../../routes.js'
import type { TestManager } from '../../testing/index.js'

/** A request, byte for byte as it is sent. */
export interface Asked {
  readonly method: Route['method']
  /** With its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** What the text says as JSON; undefined when it is none. */
  readonly json: unknown
}

export interface QuickService {
  readonly identity: Identity
  readonly routes: readonly Route[]
  /** Rejects when there is no answer after `ANSWER_MS`. */
  readonly ask: (asked: Asked) => Promise<Answered>
}

/** Longer than any answer takes whose request is no more than a call of this API, on a machine that does much else. */
const ANSWER_MS = 10_000

/**
 * A service on the test's database whose passwords cost nothing (they are "hashed" by a prefix) and that slows nobody down: for tests of many
 * calls, and of what is stored.
 */
export async function quickService(t: Scope, m: TestManager): Promise<QuickService> {
  const never = { free: Number.POSITIVE_INFINITY, longestMs: 0 }
  const { store, cluster, push, key } = m
  const schedulerKey = createPublicKey(m.schedulerKey)
  const identity = createIdentity({
    store,
    key,
    passwords: createPasswords({
      hash: async (plain) => hashOf(plain),
      verify: async (phc, plain) => phc === hashOf(plain),
    }),
    throttle: new Throttle({ pair: never, account: never, address: never, forgetMs: 1, maxEntries: 10, maxWaitMs: 1 }),
  })
  const log = createLog({ name: 'manager', level: 'fatal', write: () => {} })
  // Every refusal is noted: the model counts none.
  const audit = { refusals: { burst: Number.POSITIVE_INFINITY } }
  const deps = {
    store,
    cluster,
    push,
    log,
    config: { key, schedulerKey, admin: { email: '', password: '' }, audit },
    identity,
  }
  // Not the service's own `close`, which would end the test's database with it.
  const { server } = createApp(deps)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: 4,
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
  })
  cleanUp(t, async () => {
    await pool.close()
    server.close()
  })
  return {
    identity,
    routes: routesOf({ ...deps, sync: createNodeSync({ store, push, log: log.log }) }),
    ask: async ({ method, path, headers = {}, body }) => {
      const response = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body }) })
      const text = await response.body.text()
      return { status: response.statusCode, headers: response.headers, text, json: parsed(text) }
    },
  }
}

export const hashOf = (plain: string): string => `hash of ${plain}`

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
