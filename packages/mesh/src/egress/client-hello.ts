import type { Payload } from '@bulkhead/verdict'

/** A ClientHello that is longer is none that we read; with post-quantum key shares one has some 2 KiB. */
export const MAX_HELLO_BYTES = 16 * 1024

/** What the first bytes of a connection say: `undefined` while they could still become a ClientHello. */
export type Hello = Extract<Payload, { kind: 'tls' | 'other' }> | undefined

/** Bytes that are no ClientHello. */
const OTHER = Symbol('other')
const RECORD_HEADER_BYTES = 5
const MESSAGE_HEADER_BYTES = 4
const HANDSHAKE = 22
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const HOST_NAME = 0
/** Names of hosts, and what stands for them. Anything else in that place is no name. */
const NAME = /^[a-z0-9._-]{1,255}$/

/**
 * Reads the server's name out of a ClientHello (RFC 8446, 4.1.2 and 5.1; RFC 6066, 3), which may come in many records.
 * Strict: what is not exactly one is `other`, and so is one with two names, since another reader may take the other one.
 */
export function readHello(bytes: Buffer): Hello {
  const message = handshakeMessage(bytes)
  if (message === undefined) return undefined
  if (message === OTHER) return { kind: 'other' }
  const name = serverName(message)
  if (name === OTHER) return { kind: 'other' }
  return { kind: 'tls', ...(name !== undefined && { sni: name }) }
}

/** The first handshake message, out of its records. */
function handshakeMessage(bytes: Buffer): Buffer | typeof OTHER | undefined {
  const parts: Buffer[] = []
  const head = Buffer.alloc(MESSAGE_HEADER_BYTES)
  let got = 0
  for (let at = 0; ; ) {
    // What is wrong is said at the first byte that is: nothing waits for the rest of it.
    if (at < bytes.length && bytes[at] !== HANDSHAKE) return OTHER
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return OTHER
    if (at + RECORD_HEADER_BYTES > bytes.length) break
    const length = bytes.readUInt16BE(at + 3)
    if (length === 0 || length > MAX_HELLO_BYTES) return OTHER
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length)
    parts.push(part)
    if (got < MESSAGE_HEADER_BYTES) part.copy(head, got)
    got += part.length
    if (got > 0 && head[0] !== CLIENT_HELLO) return OTHER
    if (got >= MESSAGE_HEADER_BYTES) {
      const wanted = MESSAGE_HEADER_BYTES + head.readUIntBE(1, 3)
      if (wanted > MAX_HELLO_BYTES) return OTHER
      if (got >= wanted) return Buffer.concat(parts, got).subarray(MESSAGE_HEADER_BYTES, wanted)
    }
    if (part.length < length) break
    at += RECORD_HEADER_BYTES + length
  }
  return bytes.length >= MAX_HELLO_BYTES ? OTHER : undefined
}

/** A walk over lengths that never leaves its bytes. */
class Walk {
  readonly #bytes: Buffer
  #at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  number(size: 1 | 2): number | undefined {
    const bytes = this.take(size)
    return bytes?.readUIntBE(0, size)
  }

  take(count: number): Buffer | undefined {
    if (count > this.left) return undefined
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  /** A field that begins with its own length. */
  field(size: 1 | 2): Buffer | undefined {
    const length = this.number(size)
    return length === undefined ? undefined : this.take(length)
  }
}

function serverName(message: Buffer): string | typeof OTHER | undefined {
  const hello = new Walk(message)
  const version = hello.number(2)
  const random = hello.take(32)
  const session = hello.field(1)
  const suites = hello.field(2)
  const compression = hello.field(1)
  if (version === undefined || version >> 8 !== 3 || random === undefined) return OTHER
  if (session === undefined || session.length > 32 || !suites?.length || suites.length % 2 === 1) return OTHER
  if (!compression?.length) return OTHER
  // Before TLS 1.2 there need not be any.
  if (hello.left === 0) return undefined
  const extensions = hello.field(2)
  if (extensions === undefined || hello.left > 0) return OTHER
  const list = new Walk(extensions)
  let name: string | undefined
  while (list.left > 0) {
    const type = list.number(2)
    const data = list.field(2)
    if (data === undefined) return OTHER
    if (type !== SERVER_NAME) continue
    const found = name === undefined ? oneName(data) : undefined
    if (found === undefined) return OTHER
    name = found
  }
  return name
}

/** The one name of a server_name extension, in lower case. */
function oneName(data: Buffer): string | undefined {
  const whole = new Walk(data)
  const list = whole.field(2)
  if (list === undefined || whole.left > 0) return undefined
  const entries = new Walk(list)
  const type = entries.number(1)
  const name = entries.field(2)
  if (type !== HOST_NAME || name === undefined || entries.left > 0) return undefined
  const text = name.toString('latin1').toLowerCase()
  return NAME.test(text) ? text : undefined
}
