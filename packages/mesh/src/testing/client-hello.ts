/*
 * For tests: ClientHellos, also such as no client would send.
 */

const field = (size: 1 | 2, body: Buffer): Buffer => {
  const length = Buffer.alloc(size)
  length.writeUIntBE(body.length & (size === 1 ? 0xff : 0xffff), 0, size)
  return Buffer.concat([length, body])
}

/** A handshake record around some bytes. */
export const record = (body: Buffer): Buffer => Buffer.concat([Buffer.from([22, 3, 1]), field(2, body)])

export interface HelloParts {
  /** A server_name extension for each; a list within is one extension with several names. */
  readonly names: readonly (string | readonly string[])[]
  readonly nameType?: number
  /** Bytes after the extensions. */
  readonly trailing?: number
}

export function clientHello({ names, nameType = 0, trailing = 0 }: HelloParts): Buffer {
  const extensions = names.map((list) => {
    const entries = [list].flat().map((name) => Buffer.concat([Buffer.from([nameType]), field(2, Buffer.from(name))]))
    return Buffer.concat([Buffer.from([0, 0]), field(2, field(2, Buffer.concat(entries)))])
  })
  // As much of TLS 1.2 as a server wants to see before it looks for a certificate: groups, point formats, signatures.
  const other = Buffer.from('000a000600040017001d000b00020100000d000400020403', 'hex')
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    field(1, Buffer.alloc(0)),
    field(2, Buffer.from([0xc0, 0x2b])),
    field(1, Buffer.from([0])),
    field(2, Buffer.concat([other, ...extensions])),
    Buffer.alloc(trailing),
  ])
  const message = Buffer.alloc(4)
  message.writeUInt8(1, 0)
  message.writeUIntBE(body.length, 1, 3)
  return record(Buffer.concat([message, body]))
}
