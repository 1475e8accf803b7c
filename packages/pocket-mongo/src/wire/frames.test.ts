import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { messageOf } from '../testing/raw.js'
import { BrokenStream, Frames } from './frames.js'

test('messages are the same, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2000), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(20_000), { maxLength: 20 }),
      (sizes, cuts) => {
        const messages = sizes.map((size) => messageOf({ text: 'x'.repeat(size) }))
        const stream = Buffer.concat(messages)
        const places = [...new Set([0, ...cuts.map((cut) => cut % stream.length), stream.length])].sort((a, b) => a - b)
        const frames = new Frames()
        const read: Buffer[] = []
        for (let i = 1; i < places.length; i++) {
          frames.push(stream.subarray(places[i - 1], places[i]))
          for (let frame = frames.next(); frame !== undefined; frame = frames.next()) read.push(frame)
        }
        assert.deepEqual(read, messages)
        assert.equal(frames.held, 0)
      },
    ),
    { numRuns: 300 },
  )
})

test('a length that no message can have ends the stream at its first four bytes', () => {
  for (const length of [0, 15, -1, 1001, 0x7fffffff]) {
    const frames = new Frames()
    frames.limit = 1000
    const head = Buffer.alloc(4)
    head.writeInt32LE(length)
    frames.push(head.subarray(0, 3))
    assert.equal(frames.next(), undefined)
    frames.push(head.subarray(3))
    assert.throws(() => frames.next(), BrokenStream)
  }
})
