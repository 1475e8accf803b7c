import { closeSync, openSync, readSync } from 'node:fs'

/** Of the ELF format: what is read here of a 64-bit little-endian file. */
const MACHINES = new Map([
  [62, 'x64'],
  [183, 'arm64'],
])
const PT_LOAD = 1
const PT_DYNAMIC = 2
const DT_NULL = 0n
const DT_NEEDED = 1n
const DT_STRTAB = 5n

/**
 * What a program or a library for Linux says of itself.
 * @returns {{ cpu: string, needed: string[] }} in npm's word for the processor; the libraries that it is linked with
 */
export function readElf(file) {
  const handle = openSync(file, 'r')
  try {
    return read(file, (offset, length) => {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(handle, bytes, 0, length, offset))
    })
  } finally {
    closeSync(handle)
  }
}

function read(file, bytes) {
  const header = bytes(0, 64)
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1)
    throw new Error(`${file} is no 64-bit program for Linux`)
  const machine = header.readUInt16LE(18)
  const size = header.readUInt16LE(54)
  const table = bytes(Number(header.readBigUInt64LE(32)), size * header.readUInt16LE(56))
  const segments = Array.from({ length: table.length / size }, (_, index) => {
    const at = table.subarray(index * size)
    const [offset, address, , inFile] = [8, 16, 24, 32].map((place) => Number(at.readBigUInt64LE(place)))
    return { type: at.readUInt32LE(0), offset, address, inFile }
  })
  const offsetOf = (address) => {
    const within = segments.find(
      (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.inFile,
    )
    if (within === undefined) throw new Error(`${file} points to ${address}, which is not in it`)
    return within.offset + address - within.address
  }
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  const entries = dynamic === undefined ? [] : entriesOf(bytes(dynamic.offset, dynamic.inFile))
  const names = entries.find(([tag]) => tag === DT_STRTAB)
  const needed = entries
    .filter(([tag]) => tag === DT_NEEDED)
    .map(([, at]) => {
      const text = bytes(offsetOf(Number(names[1])) + Number(at), 256)
      return text.toString('latin1', 0, text.indexOf(0))
    })
  return { cpu: MACHINES.get(machine) ?? `machine ${machine}`, needed }
}

function entriesOf(table) {
  const all = Array.from({ length: Math.floor(table.length / 16) }, (_, index) => [
    table.readBigUInt64LE(index * 16),
    table.readBigUInt64LE(index * 16 + 8),
  ])
  const end = all.findIndex(([tag]) => tag === DT_NULL)
  return end === -1 ? all : all.slice(0, end)
}
