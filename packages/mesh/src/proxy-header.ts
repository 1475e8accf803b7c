import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Address } from './seams.js'

/*
 * A unix socket has no source address, and a pod's "15008" needs one: policies speak of addresses. So each connection
 * on it opens with a PROXY protocol header (version 2, TCP over IPv4), which carries the address and, in a TLV of the
 * range for own use, a token that only this process knows. What shows no token did not come through the mesh.
 */

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const VERSION_2_PROXY = 0x21
const TCP_OVER_IPV4 = 0x11
const TLV_TOKEN = 0xe0
const TOKEN_BYTES = 16
const BODY = 12 + 3 + TOKEN_BYTES
export const HEADER_BYTES = 16 + BODY

export const newToken = (): Buffer => randomBytes(TOKEN_BYTES)

const writeIp = (to: Buffer, ip: string, at: number) => {
  ip.split('.').forEach((part, index) => {
    to.writeUInt8(Number(part), at + index)
  })
}

export function writeHeader(token: Buffer, source: Address, destination: Address): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  SIGNATURE.copy(header)
  header.writeUInt8(VERSION_2_PROXY, 12)
  header.writeUInt8(TCP_OVER_IPV4, 13)
  header.writeUInt16BE(BODY, 14)
  writeIp(header, source.ip, 16)
  writeIp(header, destination.ip, 20)
  header.writeUInt16BE(source.port, 24)
  header.writeUInt16BE(destination.port, 26)
  header.writeUInt8(TLV_TOKEN, 28)
  header.writeUInt16BE(TOKEN_BYTES, 29)
  token.copy(header, 31)
  return header
}

/** The source's address; undefined for anything but a header with this token. */
export function parseHeader(token: Buffer, header: Buffer): Address | undefined {
  if (header.length !== HEADER_BYTES) return undefined
  const source = { ip: [...header.subarray(16, 20)].join('.'), port: header.readUInt16BE(24) }
  const destination = { ip: [...header.subarray(20, 24)].join('.'), port: header.readUInt16BE(26) }
  // There is one header per addresses and token, so comparing the whole of it reads every field strictly.
  return timingSafeEqual(header, writeHeader(token, source, destination)) ? source : undefined
}

/** Takes the header off a fresh, paused connection; what follows stays unread. Undefined: no header of ours within `timeoutMs`. */
export function readHeader(socket: Socket, token: Buffer, timeoutMs: number): Promise<Address | undefined> {
  return new Promise((resolve) => {
    const done = (address: Address | undefined) => {
      clearTimeout(timer)
      socket.off('readable', read).off('close', gone).off('error', gone).off('end', gone)
      resolve(address)
    }
    const gone = () => done(undefined)
    const read = () => {
      const header: Buffer | null = socket.read(HEADER_BYTES)
      if (header !== null) done(parseHeader(token, header))
    }
    const timer = setTimeout(gone, timeoutMs)
    socket.on('readable', read).once('close', gone).once('error', gone).once('end', gone)
    read()
  })
}
