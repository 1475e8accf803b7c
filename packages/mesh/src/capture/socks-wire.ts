/*
 * SOCKS5, as far as a client like curl speaks it: RFC 1928 with CONNECT, RFC 1929 for user and password. Pure: bytes
 * in, what they say out.
 */

export const REPLY = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressNotSupported: 8,
} as const

export type Reply = (typeof REPLY)[keyof typeof REPLY]

/** What one message says. `more`: it is not all there yet. `bad`: it will never be one. Else its value and its length. */
export type Read<T> =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad' }
  | { readonly kind: 'ok'; readonly value: T; readonly length: number }

const MORE = { kind: 'more' } as const
const BAD = { kind: 'bad' } as const

/** RFC 1928, 3: does the client offer user and password? */
export function readGreeting(bytes: Buffer): Read<{ readonly password: boolean }> {
  const [version, count] = bytes
  if (version !== undefined && version !== 5) return BAD
  if (count === undefined) return MORE
  if (count === 0) return BAD
  if (bytes.length < 2 + count) return MORE
  return { kind: 'ok', value: { password: bytes.subarray(2, 2 + count).includes(2) }, length: 2 + count }
}

/** RFC 1929, 2. */
export function readCredentials(bytes: Buffer): Read<{ readonly user: string; readonly password: string }> {
  const [version, userLength] = bytes
  if (version !== undefined && version !== 1) return BAD
  if (userLength === undefined) return MORE
  const passwordLength = bytes[2 + userLength]
  if (passwordLength === undefined) return MORE
  const length = 3 + userLength + passwordLength
  if (bytes.length < length) return MORE
  const user = bytes.subarray(2, 2 + userLength).toString('utf8')
  const password = bytes.subarray(3 + userLength, length).toString('utf8')
  return { kind: 'ok', value: { user, password }, length }
}

export interface Request {
  /** 1 CONNECT, 2 BIND, 3 UDP ASSOCIATE. */
  readonly command: number
  /** Undefined for IPv6, which pods do not have. */
  readonly host?: string
  readonly port: number
}

/** RFC 1928, 4. */
export function readRequest(bytes: Buffer): Read<Request> {
  const [version, command, reserved, type, nameLength] = bytes
  if (version !== undefined && version !== 5) return BAD
  if (reserved !== undefined && reserved !== 0) return BAD
  if (command === undefined || type === undefined || nameLength === undefined) return MORE
  if (type !== 1 && type !== 3 && type !== 4) return BAD
  if (type === 3 && nameLength === 0) return BAD
  const from = type === 3 ? 5 : 4
  const to = from + (type === 1 ? 4 : type === 4 ? 16 : nameLength)
  if (bytes.length < to + 2) return MORE
  const address = bytes.subarray(from, to)
  const port = bytes.readUInt16BE(to)
  const value = { command, port }
  if (type === 4) return { kind: 'ok', value, length: to + 2 }
  const host = type === 1 ? address.join('.') : address.toString('latin1')
  return { kind: 'ok', value: { ...value, host }, length: to + 2 }
}

/** RFC 1928, 6: the address is the one that the connection stands on, and nothing when there is none. */
export function writeReply(reply: Reply, bound?: { readonly ip: string; readonly port: number }): Buffer {
  const bytes = Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0])
  bound?.ip.split('.').forEach((part, i) => {
    bytes[4 + i] = Number(part)
  })
  if (bound !== undefined) bytes.writeUInt16BE(bound.port, 8)
  return bytes
}
