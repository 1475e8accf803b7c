import { BSONError, type Document } from 'bson'
import { MongoError } from '../errors.js'
import { decode } from '../values/decode.js'
import { crc32c } from './crc32c.js'
import { BrokenStream } from './frames.js'
import { MAX_COMMAND_BYTES, MAX_DEPTH, MAX_DOCUMENT_BYTES } from './limits.js'

/*
 * Messages that clients send (MongoDB wire protocol): OP_MSG, and OP_QUERY for the first hello of drivers that do not know
 * yet what the server speaks. All others, OP_COMPRESSED too since it was never agreed on, end the connection.
 */

export const OP_REPLY = 1
export const OP_QUERY = 2004
export const OP_MSG = 2013

const CHECKSUM_PRESENT = 1
export const MORE_TO_COME = 2
const EXHAUST_ALLOWED = 1 << 16
/** Flags that a reader has to know; those above may be passed over. */
const REQUIRED_FLAGS = 0xffff

export interface Message {
  readonly requestId: number
  readonly opcode: typeof OP_MSG | typeof OP_QUERY
  /** The command: its first field's name. Sequences of documents (`documents`, `updates`, `deletes`) are fields of it. */
  readonly body: Document
  readonly db: string
  /** The client waits for no answer. */
  readonly silent: boolean
  /** It takes several answers, one after the other, where a command has them. */
  readonly exhaust: boolean
}

/** A whole message that says nothing this server could act upon, but can be answered. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage'
  readonly requestId: number
  readonly opcode: number
  readonly answer: MongoError

  constructor(requestId: number, opcode: number, answer: MongoError) {
    super(answer.message)
    this.requestId = requestId
    this.opcode = opcode
    this.answer = answer
  }
}

/** @throws BrokenStream, BadMessage */
export function readMessage(frame: Buffer): Message {
  const requestId = frame.readInt32LE(4)
  const opcode = frame.readInt32LE(12)
  if (opcode !== OP_MSG && opcode !== OP_QUERY)
    throw new BrokenStream(`operation ${opcode}: this server takes OP_MSG (2013), and OP_QUERY (2004) for hello`)
  try {
    return opcode === OP_MSG ? readOpMsg(frame, requestId) : readOpQuery(frame, requestId)
  } catch (error) {
    if (error instanceof MongoError) throw new BadMessage(requestId, opcode, error)
    if (error instanceof BSONError || error instanceof RangeError || error instanceof TypeError)
      throw new BadMessage(requestId, opcode, new MongoError('InvalidBSON', `invalid BSON: ${error.message}`))
    throw error
  }
}

const failed = (message: string): MongoError => new MongoError('FailedToParse', message)

function readOpMsg(frame: Buffer, requestId: number): Message {
  if (frame.length < 21) throw failed('an OP_MSG without a body')
  const flags = frame.readUInt32LE(16)
  const unknown = flags & REQUIRED_FLAGS & ~(CHECKSUM_PRESENT | MORE_TO_COME)
  if (unknown !== 0) throw failed(`Message contains illegal flags value: ${flags}`)
  let end = frame.length
  if ((flags & CHECKSUM_PRESENT) !== 0) {
    end -= 4
    if (end < 21 || frame.readUInt32LE(end) !== crc32c(frame.subarray(0, end)))
      throw failed('OP_MSG checksum does not match contents.')
  }
  let body: Document | undefined
  const sequences: [string, Document[]][] = []
  for (let at = 20; at < end; ) {
    const kind = frame[at]
    at += 1
    if (kind === 0) {
      if (body !== undefined) throw failed('Multiple body sections in message')
      const raw = documentAt(frame, at, end, MAX_COMMAND_BYTES)
      body = decode(raw, MAX_DEPTH)
      at += raw.length
    } else if (kind === 1) {
      const section = sectionAt(frame, at, end)
      sequences.push(sequenceOf(section, sequences))
      at += section.length
    } else {
      throw failed(`Unknown section kind ${kind}`)
    }
  }
  if (body === undefined) throw failed('OP_MSG messages must have a body')
  for (const [name, documents] of sequences) {
    if (Object.hasOwn(body, name)) throw failed(`Duplicate field between body and document sequence ${name}`)
    if (name === '__proto__') throw failed('a document sequence has no such name')
    body[name] = documents
  }
  const db: unknown = Object.hasOwn(body, '$db') ? body.$db : undefined
  if (typeof db !== 'string') throw failed('OP_MSG requests require a $db argument')
  return {
    requestId,
    opcode: OP_MSG,
    body,
    db,
    silent: (flags & MORE_TO_COME) !== 0,
    exhaust: (flags & EXHAUST_ALLOWED) !== 0,
  }
}

function sectionAt(frame: Buffer, at: number, end: number): Buffer {
  const length = at + 4 <= end ? frame.readInt32LE(at) : 0
  if (length < 5 || at + length > end) throw failed('a document sequence that does not end in its message')
  return frame.subarray(at, at + length)
}

function sequenceOf(section: Buffer, before: readonly (readonly [string, unknown])[]): [string, Document[]] {
  const zero = section.indexOf(0, 4)
  if (zero < 0) throw failed('a document sequence without a name')
  const name = section.toString('utf8', 4, zero)
  if (before.some(([other]) => other === name)) throw failed(`Duplicate document sequence: ${name}`)
  const documents: Document[] = []
  for (let at = zero + 1; at < section.length; ) {
    // An update's statement may be larger than the documents in it.
    const raw = documentAt(section, at, section.length, MAX_COMMAND_BYTES)
    documents.push(decode(raw, MAX_DEPTH))
    at += raw.length
  }
  return [name, documents]
}

function documentAt(bytes: Buffer, at: number, end: number, limit: number): Buffer {
  const length = at + 4 <= end ? bytes.readInt32LE(at) : 0
  if (length < 5 || at + length > end)
    throw new MongoError('InvalidBSON', `a document of ${length} bytes where ${end - at} are left`)
  if (length > limit)
    throw new MongoError(
      'BSONObjectTooLarge',
      `BSONObj size: ${length} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}`,
    )
  return bytes.subarray(at, at + length)
}

/** Only `admin.$cmd`, only the first hello. */
function readOpQuery(frame: Buffer, requestId: number): Message {
  const zero = frame.indexOf(0, 20)
  const ns = zero < 0 ? '' : frame.toString('utf8', 20, zero)
  if (!ns.endsWith('.$cmd') || zero + 9 > frame.length)
    throw new MongoError(
      'CommandNotSupported',
      `OP_QUERY is no longer supported: use OP_MSG (asked for '${ns.slice(0, 100)}')`,
    )
  const body = decode(documentAt(frame, zero + 9, frame.length, MAX_COMMAND_BYTES), MAX_DEPTH)
  const [name = ''] = Object.keys(body)
  if (!['hello', 'ismaster', 'isMaster'].includes(name))
    throw new MongoError(
      'CommandNotSupported',
      `Unsupported OP_QUERY command: ${name.slice(0, 100)}. The client driver may require an upgrade.`,
    )
  return { requestId, opcode: OP_QUERY, body, db: ns.slice(0, -'.$cmd'.length), silent: false, exhaust: false }
}
