/*
 * The part of the tar format that a bundle is written in: regular files, whose names are in the header or, when they are too long for
 * it, in a pax record before it. POSIX.1-2001, pax interchange format. Every `tar` reads it.
 */

export const BLOCK = 512
/** A header's field holds eleven octal digits. */
export const MAX_SIZE = 0o77777777777
/** A record before a header has a file's name and nothing else. */
export const MAX_RECORD = 4 * BLOCK

export const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK

const FIELD = { name: [0, 100], size: [124, 12], sum: [148, 8], type: [156, 1], prefix: [345, 155] } as const

/** The header, or headers, of a regular file. */
export function headerOf(path: string, size: number): Buffer {
  if (size > MAX_SIZE) throw new RangeError(`${path} is larger than 8 GiB, more than an entry of a tar archive can be`)
  if (Buffer.byteLength(path) <= 100) return block(path, size, '0')
  const record = paxRecord('path', path)
  const padding = Buffer.alloc(paddingOf(record.length))
  return Buffer.concat([block('long-name', record.length, 'x'), record, padding, block('long-name', size, '0')])
}

/** What ends an archive. */
export const END = Buffer.alloc(2 * BLOCK)

/** Owned by nobody in particular, and as old as all others: the same files make the same archive. */
function block(path: string, size: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  }
  header.write(path, 0, 'utf8')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, ...FIELD.size)
  octal(0, 136, 12)
  header.write(type, 156, 'latin1')
  header.write('ustar\u000000', 257, 'latin1')
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1')
  return header
}

/** A record begins with its own length, the digits of that included. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  let length = bytes + String(bytes).length
  length = bytes + String(length).length
  return Buffer.from(`${length}${rest}`)
}

export interface Header {
  readonly path: string
  readonly size: number
  /** `0` is a regular file, `x` a record about the file after it; whatever else has no place in a bundle. */
  readonly type: string
}

/** Reads a header. `end` for a block of zeros; undefined for what is no header. */
export function readHeader(header: Buffer): Header | 'end' | undefined {
  if (header.every((byte) => byte === 0)) return 'end'
  if (text(header, FIELD.sum).trim() !== sumOf(header).toString(8).padStart(6, '0')) return undefined
  const digits = text(header, FIELD.size).trim()
  if (!/^[0-7]{1,11}$/.test(digits)) return undefined
  const [name, prefix] = [text(header, FIELD.name), text(header, FIELD.prefix)]
  const type = text(header, FIELD.type)
  return { path: prefix === '' ? name : `${prefix}/${name}`, size: Number.parseInt(digits, 8), type: type || '0' }
}

/** The name that a record gives the file after it; undefined when it says something else, or more. */
export function readRecord(record: Buffer): string | undefined {
  const found = /^(\d+) path=([^\n]+)\n$/.exec(record.toString())
  return found?.[1] === String(record.length) ? found[2] : undefined
}

function text(header: Buffer, [at, length]: readonly [number, number]): string {
  const field = header.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.subarray(0, end === -1 ? length : end).toString()
}

/** All bytes of the header, its own field taken for spaces. */
function sumOf(header: Buffer): number {
  let sum = 8 * 0x20
  for (const [index, byte] of header.entries()) if (index < 148 || index >= 156) sum += byte
  return sum
}
