/** What came is not what PostgreSQL answers to a check. */
export class NotPostgres extends Error {
  override readonly name: string = 'NotPostgres'
}

/** The other side wants the password itself, over a connection that anybody may have answered. */
export class PasswordInClear extends NotPostgres {
  override readonly name = 'PasswordInClear'
}

/**
 * Memory, and time: a message's length is the sender's to state, and pg waits for all of it; notices may go on for ever. The
 * answers to one check, the greeting of a new connection with them, have under a thousand bytes.
 */
export const MAX_ANSWER_BYTES = 64 * 1024

const HEAD = 5

/**
 * Looks at messages before pg's parser does, which trusts them: a text without its end makes it search for ever, a count
 * that is too high makes it throw from within an event. Passed on are whole messages of the kinds that a check has to do with,
 * each of them well formed (PostgreSQL's manual, "Message Formats").
 */
export class MessageScan {
  #waiting: Buffer = Buffer.alloc(0)
  #budget = MAX_ANSWER_BYTES

  /** The connection is asked another time. */
  renew(): void {
    this.#budget = MAX_ANSWER_BYTES
  }

  /**
   * The messages that are whole with these bytes; empty when none is.
   * @throws NotPostgres
   */
  take(chunk: Buffer): Buffer {
    this.#budget -= chunk.length
    if (this.#budget < 0) throw new NotPostgres(`more than ${MAX_ANSWER_BYTES} bytes`)
    const bytes = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk])
    let whole = 0
    while (whole < bytes.length) {
      const type = String.fromCharCode(bytes[whole] as number)
      const check = CHECKS[type]
      if (check === undefined) throw new NotPostgres(`a message of type ${JSON.stringify(type)}`)
      if (whole + HEAD > bytes.length) break
      const length = bytes.readUInt32BE(whole + 1)
      if (length < 4 || length > MAX_ANSWER_BYTES) throw new NotPostgres(`a message of ${length} bytes`)
      const end = whole + 1 + length
      if (end > bytes.length) break
      if (!check(bytes.subarray(whole + HEAD, end))) throw new NotPostgres(`a malformed message of type ${type}`)
      whole = end
    }
    this.#waiting = bytes.subarray(whole)
    return bytes.subarray(0, whole)
  }
}

type Check = (body: Buffer) => boolean

const endsWith0: Check = (body) => body.at(-1) === 0
const empty: Check = ({ length }) => length === 0

const CHECKS: Readonly<Record<string, Check>> = {
  R: isAuthentication,
  S: (body) => endsWith0(body) && body.indexOf(0) < body.length - 1, // ParameterStatus: a name, a value
  K: ({ length }) => length >= 8, // BackendKeyData
  Z: ({ length }) => length === 1, // ReadyForQuery
  E: isFields, // ErrorResponse
  N: isFields, // NoticeResponse
  T: isRowDescription,
  D: isDataRow,
  C: endsWith0, // CommandComplete
  I: empty, // EmptyQueryResponse
}

function isAuthentication(body: Buffer): boolean {
  if (body.length < 4) return false
  switch (body.readInt32BE(0)) {
    case 0:
      return body.length === 4
    case 3:
      throw new PasswordInClear('it asks for the password in clear')
    case 5:
      return body.length === 8
    case 10:
      // A list of names that ends with an empty one.
      return body.length > 5 && body.at(-1) === 0 && body.at(-2) === 0
    default:
      return body.readInt32BE(0) === 11 || body.readInt32BE(0) === 12
  }
}

/** A letter and a text, again and again; then a zero. */
function isFields(body: Buffer): boolean {
  let at = 0
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at + 1)
    if (end === -1) return false
    at = end + 1
  }
  return at === body.length - 1
}

function isRowDescription(body: Buffer): boolean {
  if (body.length < 2) return false
  let at = 2
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    const end = body.indexOf(0, at)
    if (end === -1) return false
    at = end + 1 + 18
  }
  return at === body.length
}

function isDataRow(body: Buffer): boolean {
  if (body.length < 2) return false
  let at = 2
  for (let left = body.readUInt16BE(0); left > 0; left--) {
    if (at + 4 > body.length) return false
    const length = body.readInt32BE(at)
    if (length < -1) return false
    at += 4 + Math.max(length, 0)
  }
  return at === body.length
}
