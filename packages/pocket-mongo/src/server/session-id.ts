import { Binary } from 'bson'
import { MongoError } from '../errors.js'

/** `{ id: <UUID> }`. @throws MongoError TypeMismatch */
export function sessionId(lsid: unknown): Binary {
  const id: unknown = typeof lsid === 'object' && lsid !== null && 'id' in lsid ? lsid.id : undefined
  if (!(id instanceof Binary) || id.sub_type !== Binary.SUBTYPE_UUID || id.length() !== 16)
    throw new MongoError('TypeMismatch', "a session's id has to be a UUID: { id: <binary of subtype 4, 16 bytes> }")
  return id
}
