/*
 * Just as much of DNS messages (RFC 1035) as a resolver's question and our answer need: one question, and A records.
 */

/** Of a message over UDP (RFC 1035, 2.3.4), and more than any question needs. */
export const MAX_MESSAGE_BYTES = 512
const HEADER_BYTES = 12
const TYPE_A = 1
const TYPE_ANY = 255
const CLASS_IN = 1
const TTL_S = 30

export interface Question {
  readonly id: number
  /** The name in lower case, without the last dot. */
  readonly name: string
  readonly type: number
  /** As it came: it is echoed. */
  readonly bytes: Buffer
  readonly recursionDesired: boolean
}

export const RCODE = { ok: 0, malformed: 1, failed: 2, noName: 3, notImplemented: 4, refused: 5 } as const
export type ResponseCode = (typeof RCODE)[keyof typeof RCODE]

/** `malformed`: nothing that can be asked, but its header can be answered. Undefined: no question at all. */
export type Read =
  | { readonly kind: 'question'; readonly question: Question }
  | { readonly kind: 'malformed'; readonly id: number; readonly code: ResponseCode }
  | undefined

/** Characters of names that are asked here (RFC 1123, and the underscore of SRV names). Others have no answer. */
const LABEL = /^[a-z0-9_-]{1,63}$/

export function readQuestion(data: Uint8Array): Read {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (bytes.length < HEADER_BYTES) return undefined
  const id = bytes.readUInt16BE(0)
  const flags = bytes.readUInt16BE(2)
  // An answer to what nobody asked.
  if ((flags & 0x8000) !== 0) return undefined
  const malformed = { kind: 'malformed', id, code: RCODE.malformed } as const
  if (bytes.length > MAX_MESSAGE_BYTES) return malformed
  if ((flags & 0x7800) !== 0) return { ...malformed, code: RCODE.notImplemented }
  if (bytes.readUInt16BE(4) !== 1 || bytes.readUInt16BE(6) !== 0 || bytes.readUInt16BE(8) !== 0) return malformed
  const labels: string[] = []
  let at = HEADER_BYTES
  for (;;) {
    const length = bytes[at]
    // A pointer in a question has nothing to point to.
    if (length === undefined || length > 63) return malformed
    at += 1
    if (length === 0) break
    const label = bytes.toString('latin1', at, at + length).toLowerCase()
    if (label.length < length || !LABEL.test(label)) return malformed
    labels.push(label)
    at += length
    if (at - HEADER_BYTES > 255) return malformed
  }
  if (at + 4 > bytes.length) return malformed
  if (bytes.readUInt16BE(at + 2) !== CLASS_IN) return { ...malformed, code: RCODE.notImplemented }
  const question: Question = {
    id,
    name: labels.join('.'),
    type: bytes.readUInt16BE(at),
    bytes: Buffer.from(bytes.subarray(HEADER_BYTES, at + 4)),
    recursionDesired: (flags & 0x0100) !== 0,
  }
  return { kind: 'question', question }
}

function header(id: number, recursionDesired: boolean, code: ResponseCode, questions: number, answers: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  bytes.writeUInt16BE(id, 0)
  // An answer, recursion is available.
  bytes.writeUInt16BE(0x8080 | (recursionDesired ? 0x0100 : 0) | code, 2)
  bytes.writeUInt16BE(questions, 4)
  bytes.writeUInt16BE(answers, 6)
  return bytes
}

/** An answer without a question, for a message that none could be read from. */
export const writeFailure = (id: number, code: ResponseCode): Buffer => header(id, false, code, 0, 0)

/** The name's addresses where those were asked for; as many as fit. */
export function writeAnswer(question: Question, code: ResponseCode, addresses: readonly string[] = []): Buffer {
  const { id, type, bytes, recursionDesired } = question
  const room = Math.floor((MAX_MESSAGE_BYTES - HEADER_BYTES - bytes.length) / 16)
  const told = type === TYPE_A || type === TYPE_ANY ? addresses.slice(0, room) : []
  const records = told.map((ip) => {
    const record = Buffer.alloc(16)
    // The name: a pointer to the question's.
    record.writeUInt16BE(0xc000 | HEADER_BYTES, 0)
    record.writeUInt16BE(TYPE_A, 2)
    record.writeUInt16BE(CLASS_IN, 4)
    record.writeUInt32BE(TTL_S, 6)
    record.writeUInt16BE(4, 10)
    ip.split('.').forEach((part, index) => {
      record.writeUInt8(Number(part), 12 + index)
    })
    return record
  })
  return Buffer.concat([header(id, recursionDesired, code, 1, records.length), bytes, ...records])
}
