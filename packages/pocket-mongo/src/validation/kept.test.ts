import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Document, Double, Long } from 'bson'
import { jsonSchema } from './json-schema.js'

const atLeast = (minimum: unknown): Document => ({ properties: { n: { minimum } } })

test('the same schema is made once, and one that differs in anything is another', () => {
  const first = jsonSchema(atLeast(5))
  assert.equal(jsonSchema(atLeast(5)), first)
  const others = [atLeast(6), atLeast(new Double(5)), atLeast(Long.fromNumber(5)), { ...atLeast(5), title: 'five' }]
  for (const other of others) assert.notEqual(jsonSchema(other), first, JSON.stringify(other))
  assert.deepEqual(
    [first.test({ n: 5 }), first.test({ n: 4 }), jsonSchema(atLeast(6)).test({ n: 5 })],
    [true, false, false],
  )
  // Their bytes are the same.
  assert.notEqual(jsonSchema({ enum: [undefined] }), jsonSchema({ enum: [null] }))
})

test('what is no schema is refused each time, and not many are kept', () => {
  const wrong = { properties: 1 }
  for (const _ of [1, 2]) assert.throws(() => jsonSchema(wrong), { codeName: 'TypeMismatch' })
  const first = jsonSchema(atLeast(5))
  for (let n = 100; n < 140; n++) jsonSchema(atLeast(n))
  assert.notEqual(jsonSchema(atLeast(5)), first)
})
