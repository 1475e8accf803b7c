import type { RequestContext } from '@bulkhead/service-kit'
import type { ObjectId } from 'mongodb'
import type { z } from 'zod'
import type { PolicyDoc, UserStatus } from '../store/documents.js'
import type { Credentials } from './credentials.js'
import type { managerErrors } from './errors.js'

/** The keys of the permissions that the migrations bring. */
export const permissionKeys = [
  'user.create',
  'user.read',
  'user.password.reset',
  'user.permission.update',
  'role.create',
  'role.read',
  'role.update',
  'role.delete',
  'permission.read',
  'schedule_strategy.create',
  'schedule_strategy.read',
  'schedule_strategy.update',
  'schedule_strategy.delete',
  'schedule_intent.read',
  'schedule_intent.delete',
  'pod_pid_mapping.read',
  'audit.read',
] as const
export type PermissionKey = (typeof permissionKeys)[number]

/** Who calls, as the database has him at this request. */
export interface Caller {
  readonly id: ObjectId
  readonly username: string
  readonly status: UserStatus
  /** What his roles let him do, by permission: all policies that grant it. Not looked up for a route that asks for none. */
  readonly policies: ReadonlyMap<string, readonly PolicyDoc[]>
}

/** One request, checked: what the route's schemas let through. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  readonly params: P
  readonly query: Q
  readonly body: B
  /** Absent where the route asks for no user. */
  readonly caller: Caller | undefined
  /** The policies that grant the route's permission. */
  readonly granted: readonly PolicyDoc[]
  readonly ip: string
  /** The header as it came: for a login, by somebody who may have an old token. */
  readonly authorization: string | undefined
  /** How the caller shows who he is, and where his request comes from. */
  readonly credentials: Credentials
  readonly context: RequestContext
  /** The version that If-Match names. */
  readonly ifMatch: number | undefined
  readonly idempotencyKey: string | undefined
  /** Says what it is done to, for the audit log, also of a request that is refused later: `users/<id>`. */
  about(target: string): void
  /**
   * Says who calls, for the audit log, where the route asks for nobody: an account that there is, with its id when he has
   * shown that it is his. Never what was typed alone: some type their password into that field.
   */
  who(account: { readonly id?: ObjectId; readonly username: string }): void
}

export interface Answer<A = unknown> {
  readonly status?: 200 | 201
  readonly data?: A
  readonly headers?: Readonly<Record<string, string>>
  /** What it was done to, for the audit log: `users/<id>`. */
  readonly target?: string
}

/** A route as data: the server answers by it, the OpenAPI document is made of it, and the tests walk over it. */
export interface Route<P = unknown, Q = unknown, B = unknown, A = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As OpenAPI writes it: `/api/v1/strategies/{id}`. */
  readonly path: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  /**
   * `none`: anybody. `token`: anybody who is logged in, a user who has to change his password too. `scheduler`: no user at all, but the
   * scheduler of the node that the path names.
   */
  readonly permission: 'none' | 'token' | 'scheduler' | PermissionKey
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  readonly body?: z.ZodType<B>
  /** Of the answer's `data`; absent: the key is left out. */
  readonly answer?: z.ZodType<A>
  readonly status?: 200 | 201
  /** The answer goes out as it is, without the envelope. */
  readonly raw?: boolean
  /** What it may be refused with, beside what every route of its kind may. */
  readonly errors: readonly (keyof typeof managerErrors.table)[]
  /**
   * Written to the audit log, whatever comes of it; of a route for anybody, what was decided (done, or 401); of one for schedulers, what was
   * refused to one of them: what goes well comes every half minute.
   */
  readonly audit?: string
  readonly ifMatch?: boolean
  readonly idempotent?: boolean
  readonly handle: (call: Call<P, Q, B>) => Promise<Answer<A>>
}

/** A route with the types of its schemas, as one among all. */
export function defineRoute<P = unknown, Q = unknown, B = unknown, A = unknown>(route: Route<P, Q, B, A>): Route {
  // Sound because mount.ts gives `handle` nothing but what the route's own schemas have let through.
  return route as unknown as Route
}
