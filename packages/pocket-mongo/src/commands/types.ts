import type { Document } from 'bson'
import type { Action } from '../auth/roles.js'
import type { Reply } from '../wire/reply.js'
import type { Call } from './call.js'

/**
 * What a field of a command may be. `refused`: MongoDB knows it, this server does not do it, and says so. `passed over`:
 * it changes nothing that could be seen here.
 */
export type FieldType = 'string' | 'object' | 'array' | 'number' | 'bool' | 'any' | 'refused' | 'passed over'

/** What somebody has to be allowed, to run a command: nothing at all, to have logged in, or an action in the command's database. */
export type Need = 'nothing' | 'login' | Action

export interface Command {
  readonly name: string
  /** Other names of the same command; letters count. */
  readonly aliases?: readonly string[]
  /** The name's own value is a collection. */
  readonly collection?: boolean
  readonly fields: Readonly<Record<string, FieldType>>
  /** Fields that are not listed do no harm: for hello, where every driver sends what it likes. */
  readonly lenient?: boolean
  readonly need: Need
  /** Only on the database `admin`. */
  readonly adminOnly?: boolean
  readonly transaction?: boolean
  /** May be asked again with the same number, and is answered as the first time. */
  readonly retryable?: boolean
  /** Answered before there is a replica set's primary, too. */
  readonly anyState?: boolean
  run(call: Call): Promise<Reply> | Reply
}

export type Fields = Document
