import { crc32 } from 'node:zlib'

/*
 * The log is a row of frames: the length of what is in one (32 bits, little endian), a CRC-32 of that length and of what is
 * in it, and then it. A frame holds what came into force at once, so that all of it is read again or nothing.
 */

export const headBytes = 8

/** No frame is larger: a length above it was not written by us. Node's largest buffer is larger. */
export const mostFrameBytes = 1 << 30

export function frameOf(parts: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const part of parts) length += part.length
  const frame = Buffer.allocUnsafe(headBytes + length)
  frame.writeUInt32LE(length, 0)
  let at = headBytes
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  frame.writeUInt32LE(checksum(frame, 0, length), 4)
  return frame
}

/** The first frame of each log. Its length is what every version will have. */
export const titleOf = (version: number): Buffer =>
  frameOf([Buffer.from(`pocket-mongo log ${String(version).padStart(4)}\n`)])
export const version = 1
export const title = titleOf(version)

/** What a whole frame at `at` holds; undefined: there is none, or not all of it. */
export function frameAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at + headBytes > bytes.length) return undefined
  const length = bytes.readUInt32LE(at)
  if (length > mostFrameBytes || at + headBytes + length > bytes.length) return undefined
  if (bytes.readUInt32LE(at + 4) !== checksum(bytes, at, length)) return undefined
  return bytes.subarray(at + headBytes, at + headBytes + length)
}

function checksum(bytes: Buffer, at: number, length: number): number {
  return crc32(bytes.subarray(at + headBytes, at + headBytes + length), crc32(bytes.subarray(at, at + 4)))
}
