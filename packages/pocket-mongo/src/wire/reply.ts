import type { Document } from 'bson'
import { encode } from '../values/decode.js'
import { MORE_TO_COME, OP_MSG, OP_QUERY, OP_REPLY } from './message.js'

/** Documents that are there in bytes already, and go out as these bytes. */
export class RawDocuments {
  readonly documents: readonly Uint8Array[]

  constructor(documents: readonly Uint8Array[]) {
    this.documents = documents
  }
}

/** What a command answers; `cursor` may hold a batch of raw documents. */
export interface Reply extends Document {
  readonly cursor?: CursorReply
}

export interface CursorReply extends Document {
  readonly firstBatch?: RawDocuments
  readonly nextBatch?: RawDocuments
}

let lastRequestId = 0

/**
 * The bytes of an answer: an OP_MSG, or an OP_REPLY to an OP_QUERY.
 *
 * @param moreToCome another one follows unasked; not after an OP_QUERY
 * @throws MongoError BSONObjectTooLarge
 */
export function writeReply(reply: Reply, responseTo: number, opcode: number, moreToCome = false): Buffer {
  const document = replyBytes(reply)
  const legacy = opcode === OP_QUERY
  const head = Buffer.alloc(legacy ? 36 : 21)
  lastRequestId = (lastRequestId + 1) & 0x7fffffff
  head.writeInt32LE(head.length + document.length, 0)
  head.writeInt32LE(lastRequestId, 4)
  head.writeInt32LE(responseTo, 8)
  head.writeInt32LE(legacy ? OP_REPLY : OP_MSG, 12)
  // AwaitCapable, and one document; in an OP_MSG the section's kind is 0, and so are flags.
  if (legacy) {
    head.writeInt32LE(8, 16)
    head.writeInt32LE(1, 32)
  } else if (moreToCome) head.writeUInt32LE(MORE_TO_COME, 16)
  return Buffer.concat([head, document])
}

/** The number of an answer that was written. */
export const requestIdOf = (bytes: Buffer): number => bytes.readInt32LE(4)

function replyBytes(reply: Reply): Uint8Array {
  const { cursor, ...rest } = reply
  const name = cursor?.firstBatch !== undefined ? 'firstBatch' : 'nextBatch'
  const batch = cursor?.[name]
  if (cursor === undefined || batch === undefined) return encode(reply)
  const { [name]: _batch, ...others } = cursor
  const array = arrayBytes(batch.documents)
  const inner = document([element(4, name), array], encode(others))
  return document([element(3, 'cursor'), inner], encode(rest))
}

const element = (type: number, name: string): Buffer => Buffer.from(`${String.fromCharCode(type)}${name}\0`, 'latin1')

/** A document of some fields' bytes, then all fields of another document. */
function document(fields: readonly Uint8Array[], others: Uint8Array): Buffer {
  const parts = [Buffer.alloc(4), ...fields, others.subarray(4)]
  const all = Buffer.concat(parts)
  all.writeInt32LE(all.length, 0)
  return all
}

const names: Buffer[] = []

function arrayBytes(documents: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.alloc(4)]
  for (const [index, raw] of documents.entries()) {
    names[index] ??= element(3, String(index))
    parts.push(names[index], raw)
  }
  parts.push(Buffer.alloc(1))
  const all = Buffer.concat(parts)
  all.writeInt32LE(all.length, 0)
  return all
}
