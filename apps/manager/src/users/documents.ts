import { Int32, Long, ObjectId } from 'mongodb'
import type { UserDoc, UserStatus } from '../store/documents.js'

export interface NewUser {
  readonly username: string
  /** Made by Passwords. */
  readonly phc: string
  readonly status: UserStatus
  readonly roleIds?: readonly ObjectId[]
  /** Who makes him; he himself when absent. */
  readonly by?: ObjectId
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The document of a user who is made. */
export function newUserDoc({ username, phc, status, roleIds = [], by, now }: NewUser): UserDoc {
  const _id = new ObjectId()
  const time = Long.fromNumber(now)
  return {
    _id,
    username,
    password: phc,
    status: new Int32(status),
    roleIds,
    tokenVersion: new Int32(0),
    version: new Int32(1),
    createdTime: time,
    updatedTime: time,
    creatorID: by ?? _id,
    updaterID: by ?? _id,
  }
}
