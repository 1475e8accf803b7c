import { createLog } from '@bulkhead/service-kit'
import supertest from 'supertest'
import { createApp } from '../app.js'
import { createIdentity } from '../auth/identity.js'
import { type Argon, argon, createPasswords } from '../auth/passwords.js'
import type { Throttle } from '../auth/throttle.js'
import type { WorkQueue } from '../auth/work-queue.js'
import type { TrustedProxies } from '../http/client-address.js'
import type { TestManager } from './manager.js'

export interface ServiceParts {
  readonly argon?: Argon
  readonly throttle?: Throttle
  readonly queue?: WorkQueue
  readonly proxies?: TrustedProxies
}

/** The same database behind a service of which the test has parts in hand. */
export function serviceOf(m: TestManager, parts: ServiceParts) {
  const identity = createIdentity({
    store: m.store,
    key: m.key,
    passwords: createPasswords(parts.argon ?? argon, parts.queue),
    ...(parts.throttle === undefined ? {} : { throttle: parts.throttle }),
  })
  const service = createApp({
    store: m.store,
    cluster: m.cluster,
    push: m.push,
    log: createLog({ name: 'manager', level: 'fatal', write: () => {} }),
    config: {
      key: m.key,
      admin: { email: '', password: '' },
      ...(parts.proxies === undefined ? {} : { proxies: parts.proxies }),
    },
    identity,
  })
  return supertest(service.server)
}
