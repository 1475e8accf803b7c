import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { folderWith } from '../lib/testing.mjs'
import { readElf } from './elf.mjs'
import { takeOver } from './runtime.mjs'

/** The least that says of itself, in the format's own words, which processor it is for and what it is linked with. */
function elf(needed, machine = 62) {
  const names = Buffer.from(`\0${needed.map((name) => `${name}\0`).join('')}`)
  const [headerSize, segmentSize] = [64, 56]
  const strings = headerSize + 2 * segmentSize
  const dynamic = strings + names.length
  const entries = [...needed.map((name) => [1, names.indexOf(`${name}\0`)]), [5, 0x400000 + strings], [0, 0]]
  const file = Buffer.alloc(dynamic + entries.length * 16)
  file.write('\x7fELF\x02\x01\x01', 'latin1')
  file.writeUInt16LE(machine, 18)
  file.writeBigUInt64LE(BigInt(headerSize), 32)
  file.writeUInt16LE(segmentSize, 54)
  file.writeUInt16LE(2, 56)
  const segment = (index, type, offset, address, size) => {
    const at = headerSize + index * segmentSize
    file.writeUInt32LE(type, at)
    for (const [place, value] of [
      [8, offset],
      [16, address],
      [32, size],
    ])
      file.writeBigUInt64LE(BigInt(value), at + place)
  }
  segment(0, 1, 0, 0x400000, file.length)
  segment(1, 2, dynamic, 0x400000 + dynamic, entries.length * 16)
  names.copy(file, strings)
  for (const [index, pair] of entries.entries())
    for (const [place, value] of pair.entries()) file.writeBigUInt64LE(BigInt(value), dynamic + index * 16 + place * 8)
  return file
}

const lib = 'usr/lib/aarch64-linux-gnu'

function rootWith(t, files) {
  const root = folderWith(t, {})
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true })
    writeFileSync(path.join(root, name), content)
  }
  return root
}

test('Node is taken over with the libraries that the base lacks, and those that they want', (t) => {
  const node = rootWith(t, {
    'usr/local/bin/node': elf(['libatomic.so.1', 'libc.so.6', 'ld-linux-aarch64.so.1'], 183),
    [`${lib}/libatomic.so.1.2.0`]: elf(['libc.so.6', 'libmore.so.1'], 183),
    [`${lib}/libmore.so.1`]: elf(['libatomic.so.1'], 183),
    [`${lib}/libc.so.6`]: 'not to be taken',
  })
  symlinkSync('libatomic.so.1.2.0', path.join(node, lib, 'libatomic.so.1'))
  symlinkSync('usr/lib', path.join(node, 'lib'))
  const base = rootWith(t, { [`${lib}/libc.so.6`]: '' })
  mkdirSync(path.join(base, 'lib'))
  // As the base has it: a link that leads nowhere from here.
  symlinkSync('/nowhere/ld', path.join(base, 'lib', 'ld-linux-aarch64.so.1'))
  const out = path.join(rootWith(t, {}), 'out')
  assert.deepEqual(takeOver({ node, base, out }), {
    cpu: 'arm64',
    taken: ['usr/local/bin/node', `${lib}/libatomic.so.1`, `${lib}/libmore.so.1`],
  })
  assert.deepEqual(
    readFileSync(path.join(out, lib, 'libatomic.so.1')),
    readFileSync(path.join(node, lib, 'libatomic.so.1.2.0')),
  )
  assert.equal(statSync(path.join(out, 'usr/local/bin/node')).mode & 0o777, 0o555)
  assert.equal(statSync(path.join(out, lib, 'libatomic.so.1')).mode & 0o777, 0o444)
})

test('a library that neither image has, an image without Node, and what is no program are told', (t) => {
  const base = rootWith(t, {})
  const out = path.join(base, 'out')
  const node = rootWith(t, { 'usr/local/bin/node': elf(['libgone.so.1']) })
  assert.throws(() => takeOver({ node, base, out }), /Node is linked with libgone\.so\.1, which neither image has/)
  assert.throws(() => takeOver({ node: base, base, out }), /There is no \/usr\/local\/bin\/node in the image of Node/)
  const script = rootWith(t, { x: '#!/bin/sh\n' })
  assert.throws(() => readElf(path.join(script, 'x')), /x is no 64-bit program for Linux/)
})

test('the format is read as programs of this machine have it', () => {
  const { cpu, needed } =
    process.platform === 'linux' ? readElf(process.execPath) : { cpu: process.arch, needed: ['libc.so.6'] }
  assert.equal(cpu, process.arch)
  assert.ok(process.report.getReport().header.glibcVersionRuntime === undefined || needed.includes('libc.so.6'))
})
