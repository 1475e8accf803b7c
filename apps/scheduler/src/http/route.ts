import type { z } from 'zod'
import type { schedulerErrors } from './errors.js'

/** Who calls: the manager, or the sched_ext scheduler beside this one. */
export type Caller = 'manager' | 'sched-ext'

export interface Answer {
  /** Goes into the envelope; absent: the key is left out. */
  readonly data?: unknown
  /** Goes out as it is, instead of the envelope: JSON. */
  readonly raw?: string
}

/** A route as data: the server answers by it, the OpenAPI document is made of it, and the tests walk over it. */
export interface Route<B = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly operationId: string
  readonly summary: string
  /** Whom it is for; nobody else is let in, whatever else he may. */
  readonly caller: Caller | 'anybody'
  readonly body?: z.ZodType<B>
  /** Absent: 16 KiB. */
  readonly maxBodyBytes?: number
  /** Of the answer's `data`, or of the whole where the route says so. */
  readonly answer?: z.ZodType
  /** The answer goes out without the envelope. */
  readonly raw?: boolean
  /** What it may be refused with, beside what every route of its kind may. */
  readonly errors: readonly (keyof typeof schedulerErrors.table)[]
  readonly handle: (body: B) => Promise<Answer> | Answer
}

/** A route with the type of its schema, as one among all. */
export function defineRoute<B>(route: Route<B>): Route {
  const { handle, body, ...rest } = route
  if (body === undefined) return { ...rest, handle: () => handle(undefined as B) }
  // Sound because mount.ts gives `handle` nothing but what the route's own schema has let through.
  return { ...rest, body, handle: (value) => handle(value as B) }
}
