import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { MAX_BODY_BYTES, parseFirst, readJson } from './body.js'

/** A request that brings these bytes, in pieces of any size. */
const request = (bytes: Buffer, pieces = 1): IncomingMessage => {
  const size = Math.max(1, Math.ceil(bytes.length / pieces))
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  )
  return Object.assign(Readable.from(chunks), { headers: {} }) as unknown as IncomingMessage
}

const anyObject = fc.dictionary(anyText(), fc.jsonValue({ maxDepth: 3 }))
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('1.2 law: whatever follows the first object, it is read as if nothing did', () => {
  fc.assert(
    fc.property(anyObject, anyText(), (value, after) => {
      assert.deepEqual(parseFirst(JSON.stringify(value) + after), plain(value))
    }),
  )
})

test('1.2 any text is a value, or is refused as one that cannot be read', () => {
  const pieces = fc.array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', '1', ' ', '\u0000'), {
    maxLength: 30,
  })
  fc.assert(
    fc.property(
      fc.oneof(
        anyText(),
        pieces.map((each) => each.join('')),
      ),
      (text) => {
        try {
          parseFirst(text)
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'INVALID_BODY')
        }
      },
    ),
  )
})

test('a body nested as deeply as it can be is read or refused, and does not end the process', async () => {
  const half = MAX_BODY_BYTES / 2
  for (const text of [
    '['.repeat(MAX_BODY_BYTES),
    '{"a":'.repeat(MAX_BODY_BYTES / 5),
    '['.repeat(half) + ']'.repeat(half),
  ]) {
    const outcome = await readJson(request(Buffer.from(text))).then(
      () => 'read',
      (error: { code?: unknown }) => error.code,
    )
    assert.ok(outcome === 'read' || outcome === 'INVALID_BODY', String(outcome))
  }
})

test('law: in whatever pieces a body comes, members that are null are left out, and nothing else', async () => {
  const withoutNulls = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map((each) => (each === null ? null : withoutNulls(each)))
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withoutNulls(each)]])),
          )
        : value
  await fc.assert(
    fc.asyncProperty(anyObject, fc.integer({ min: 1, max: 9 }), async (value, pieces) => {
      const bytes = Buffer.from(JSON.stringify(value))
      assert.deepEqual(await readJson(request(bytes, pieces)), withoutNulls(plain(value)))
    }),
  )
})
