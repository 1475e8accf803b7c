import { Binary } from 'bson'
import { MongoError } from '../errors.js'
import type { Change, CollectionState, Schema } from '../store/state.js'
import { StoredDocument } from '../store/stored.js'
import type { IndexSpec } from '../store/types.js'
import { decode, encode } from '../values/decode.js'
import { mostFrameBytes } from './frames.js'

/*
 * What a frame holds: changes, one after the other. Each begins with a byte that names it; numbers are little endian.
 *
 *   1  put      collection (4 bytes), record (6), the document as BSON
 *   2  remove   collection (4), record (6)
 *   3  schema   a document of BSON: id, ns, uuid, options, indexes
 *   4  drop     collection (4)
 */
const PUT = 1
const REMOVE = 2
const SCHEMA = 3
const DROP = 4

/** What comes into force at once is one frame, and a frame's length has a limit that is far above what anybody needs. */
const mostBytesAtOnce = mostFrameBytes / 2

/**
 * Whether changes can be kept at all; to be asked before they are in force.
 *
 * @throws MongoError TransactionTooLarge
 */
export function checkSize(changes: readonly Change[]): void {
  let bytes = 0
  for (const change of changes) bytes += change.kind === 'put' ? change.document.raw.length + 16 : 16
  if (bytes <= mostBytesAtOnce) return
  throw new MongoError(
    'TransactionTooLarge',
    `${changes.length} changes of ${bytes} bytes together are more than can come into force at once (${mostBytesAtOnce}). Do it in parts.`,
  )
}

export function writtenChanges(changes: readonly Change[]): Uint8Array[] {
  return changes.flatMap(written)
}

function written(change: Change): readonly Uint8Array[] {
  switch (change.kind) {
    case 'put':
      return [place(PUT, change.id, change.document.record), change.document.raw]
    case 'remove':
      return [place(REMOVE, change.id, change.record)]
    case 'schema':
      return [Buffer.of(SCHEMA), schemaBytes(change.schema)]
    case 'drop': {
      const head = Buffer.allocUnsafe(5)
      head[0] = DROP
      head.writeUInt32LE(change.id, 1)
      return [head]
    }
  }
}

function place(kind: number, collection: number, record: number): Buffer {
  const head = Buffer.allocUnsafe(11)
  head[0] = kind
  head.writeUInt32LE(collection, 1)
  head.writeUIntLE(record, 5, 6)
  return head
}

function schemaBytes({ id, ns, uuid, options, indexes }: Schema): Uint8Array {
  return encode({ id, ns, uuid: new Binary(uuid), options, indexes })
}

/** A change as it is read: the name of a collection is known by its number then. */
export type ReadChange =
  | { readonly kind: 'put'; readonly id: number; readonly document: StoredDocument }
  | { readonly kind: 'remove'; readonly id: number; readonly record: number }
  | { readonly kind: 'schema'; readonly schema: Schema }
  | { readonly kind: 'drop'; readonly id: number }

/** @throws RangeError, BSONError when it is not what `writtenChanges` writes */
export function readChanges(payload: Buffer): ReadChange[] {
  const changes: ReadChange[] = []
  let at = 0
  while (at < payload.length) {
    const kind = payload[at]
    at += 1
    if (kind === SCHEMA) {
      const raw = documentAt(payload, at)
      at += raw.length
      changes.push({ kind: 'schema', schema: readSchema(raw) })
      continue
    }
    const id = payload.readUInt32LE(at)
    at += 4
    if (kind === DROP) {
      changes.push({ kind: 'drop', id })
      continue
    }
    const record = payload.readUIntLE(at, 6)
    at += 6
    if (kind === REMOVE) changes.push({ kind: 'remove', id, record })
    else if (kind === PUT) {
      const raw = documentAt(payload, at)
      at += raw.length
      // A copy: the bytes around it are not to stay in memory as long as it does.
      changes.push({ kind: 'put', id, document: new StoredDocument(record, Buffer.from(raw)) })
    } else throw new RangeError(`there is no change of kind ${kind}`)
  }
  return changes
}

function documentAt(payload: Buffer, at: number): Buffer {
  const length = payload.readInt32LE(at)
  if (length < 5 || at + length > payload.length) throw new RangeError(`a document of ${length} bytes does not fit`)
  return payload.subarray(at, at + length)
}

function readSchema(raw: Uint8Array): Schema {
  const { id, ns, uuid, options, indexes } = decode(raw)
  return { id, ns, uuid: (uuid as Binary).value(), options, indexes: indexes as IndexSpec[] }
}

/** About so many bytes of documents stand in one frame of a log that is written anew. */
const bytesTogether = 64 * 1024

/** A collection from nothing, as changes that belong in one frame each. */
export function* wholeCollection({ schema, documents }: CollectionState): IterableIterator<readonly Change[]> {
  yield [{ kind: 'schema', schema }]
  let together: Change[] = []
  let bytes = 0
  for (const document of documents.values()) {
    together.push({ kind: 'put', ns: schema.ns, id: schema.id, document })
    bytes += document.raw.length
    if (bytes < bytesTogether) continue
    yield together
    together = []
    bytes = 0
  }
  if (together.length > 0) yield together
}
