/*
 * The first bytes on a private socket: who may connect (the listener's token), and whom the app is to see as its peer.
 *   0  4  magic   4  32  token   36  4  connection number   40  4  source address   44  2  source port
 */

export const PREAMBLE_BYTES = 46
export const TOKEN_BYTES = 32
const MAGIC = 0x42_4c_4b_31

export interface Preamble {
  readonly conn: number
  readonly ip: string
  readonly port: number
}

export function writePreamble(token: Buffer, { conn, ip, port }: Preamble): Buffer {
  const bytes = Buffer.alloc(PREAMBLE_BYTES)
  bytes.writeUInt32BE(MAGIC, 0)
  token.copy(bytes, 4, 0, TOKEN_BYTES)
  bytes.writeUInt32BE(conn >>> 0, 36)
  ip.split('.').forEach((part, i) => {
    bytes[40 + i] = Number(part)
  })
  bytes.writeUInt16BE(port, 44)
  return bytes
}

/** Undefined when these are not the right bytes. `equal` compares in constant time. */
export function readPreamble(
  bytes: Buffer,
  token: Buffer,
  equal: (a: Buffer, b: Buffer) => boolean,
): Preamble | undefined {
  if (bytes.length < PREAMBLE_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined
  if (!equal(bytes.subarray(4, 4 + TOKEN_BYTES), token)) return undefined
  return { conn: bytes.readUInt32BE(36), ip: bytes.subarray(40, 44).join('.'), port: bytes.readUInt16BE(44) }
}
