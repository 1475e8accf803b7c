import { Int32, Long, type ObjectId } from 'mongodb'

/** What every change of a document writes beside its own fields; `now` in milliseconds since 1970. */
export const changed = (by: ObjectId, now: number) => ({ updaterID: by, updatedTime: Long.fromNumber(now) })

/** Adds up to one for `$inc`, in the type that the schema asks for. */
export const ONE = new Int32(1)
