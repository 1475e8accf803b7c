import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serialize } from 'bson'
import { framed, messageOf } from '../testing/raw.js'
import { crc32c } from './crc32c.js'
import { BrokenStream } from './frames.js'
import { BadMessage, readMessage } from './message.js'

const body = Buffer.concat([Buffer.from([0]), serialize({ insert: 'c', $db: 'test' })])
const sequence = (name: string, ...documents: object[]): Buffer => {
  const inner = Buffer.concat([Buffer.from(`${name}\0`), ...documents.map((document) => serialize(document))])
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeInt32LE(inner.length + 4, 1)
  return Buffer.concat([head, inner])
}

test('CRC-32C', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

test('a sequence of documents is a field of the command, before or behind it', () => {
  for (const parts of [
    [body, sequence('documents', { a: 1 }, { a: 2 })],
    [sequence('documents', { a: 1 }, { a: 2 }), body],
  ]) {
    const message = readMessage(framed(Buffer.concat(parts)))
    assert.deepEqual(message.body.documents, [{ a: 1 }, { a: 2 }])
    assert.deepEqual([message.db, message.silent], ['test', false])
  }
  assert.equal(readMessage(framed(body, 2)).silent, true)
  // A flag that a reader may pass over.
  assert.equal(readMessage(framed(body, 1 << 16)).db, 'test')
})

test('a checksum is held against the message', () => {
  const message = framed(Buffer.concat([body, Buffer.alloc(4)]), 1)
  message.writeUInt32LE(crc32c(message.subarray(0, -4)), message.length - 4)
  assert.equal(readMessage(message).db, 'test')
  message[message.length - 1] = (message[message.length - 1] ?? 0) ^ 1
  assert.throws(() => readMessage(message), /checksum/)
})

const oversized = sequence('documents', { a: 1 })
oversized.writeInt32LE(5000, 1)
const unending = Buffer.from(body)
unending.writeInt32LE(5000, 1)
const bad: readonly (readonly [what: string, message: Buffer, code: number])[] = [
  ['without a body', framed(sequence('documents', {})), 9],
  ['with two bodies', framed(Buffer.concat([body, body])), 9],
  ['of a section that there is none of', framed(Buffer.concat([body, Buffer.from([7])])), 9],
  ['with a flag that has to be known', framed(body, 4), 9],
  ['whose sequence does not end', framed(Buffer.concat([body, oversized])), 9],
  ['whose document does not end', framed(unending), 22],
  ['with a sequence twice', framed(Buffer.concat([body, sequence('documents', {}), sequence('documents', {})])), 9],
  ['with a sequence that the body has too', framed(Buffer.concat([body, sequence('insert', {})])), 9],
  ['with a sequence named __proto__', framed(Buffer.concat([body, sequence('__proto__', {})])), 9],
  ['without a database', messageOf({ ping: 1 }), 9],
  ['with a database that is no name', messageOf({ ping: 1, $db: 5 }), 9],
  [
    'with text that is no UTF-8',
    framed(
      Buffer.concat([Buffer.from([0]), Buffer.from('0e0000000261000200000080ff00'.replace('80ff', 'ff00'), 'hex')]),
    ),
    22,
  ],
  ['with nothing', framed(Buffer.alloc(0)), 9],
]
for (const [what, message, code] of bad) {
  test(`a message ${what} is answered with ${code}`, () => {
    assert.throws(
      () => readMessage(message),
      (error) => error instanceof BadMessage && error.answer.code === code,
    )
  })
}

test('a document that is nested without end is answered, not run into', () => {
  const depth = 20_000
  const bytes = Buffer.alloc(depth * 8 + 5)
  for (let level = 0; level <= depth; level++) {
    const at = level * 7
    bytes.writeInt32LE(bytes.length - level * 8, at)
    if (level < depth) bytes.write('\x03a\0', at + 4, 'latin1')
  }
  assert.throws(() => readMessage(framed(Buffer.concat([Buffer.from([0]), bytes]))), BadMessage)
})

test('a document may be nested as deep as the limit, and not deeper', () => {
  const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) })
  const body = (depth: number) => messageOf({ ping: nested(depth), $db: 'test' })
  assert.equal(readMessage(body(199)).db, 'test')
  assert.throws(
    () => readMessage(body(201)),
    (error) => error instanceof BadMessage && error.answer.code === 15,
  )
})

test('an operation that was never agreed on ends the stream', () => {
  const message = messageOf({ ping: 1, $db: 'test' })
  message.writeInt32LE(2012, 12)
  assert.throws(() => readMessage(message), BrokenStream)
})
