import type { KeyObject } from 'node:crypto'
import type { Guard } from '../http/mount.js'
import type { Store } from '../store/types.js'
import { createGuard } from './guard.js'
import { createPasswords, type Passwords } from './passwords.js'
import { type CsrfTokens, createCsrfTokens } from './sessions/csrf.js'
import { Throttle } from './throttle.js'
import { createTokens, type Tokens } from './tokens.js'

/** What the routes of users, roles and permissions work with. */
export interface Identity {
  readonly store: Store
  readonly tokens: Tokens
  readonly passwords: Passwords
  readonly throttle: Throttle
  readonly guard: Guard
  readonly csrf: CsrfTokens
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface IdentityOptions {
  readonly store: Store
  /** Signs the tokens. */
  readonly key: KeyObject
  readonly now?: () => number
  readonly passwords?: Passwords
  readonly throttle?: Throttle
}

/** Everything about who somebody is, made once per service. */
export function createIdentity({
  store,
  key,
  now = Date.now,
  passwords = createPasswords(),
  throttle = new Throttle(undefined, now),
}: IdentityOptions): Identity {
  const tokens = createTokens(key, now)
  return { store, tokens, passwords, throttle, now, guard: createGuard({ store, tokens }), csrf: createCsrfTokens(key) }
}
