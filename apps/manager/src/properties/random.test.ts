import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { fieldsOf, nameOf } from './testing/hostile/fields.js'
import { target } from './testing/hostile/target.js'
import { values } from './testing/hostile/values.js'

/*
 * Bodies that nobody thought of: several fields at once, of whatever JSON has. No failure of ours, and nothing stored of what was refused.
 * BULKHEAD_LONG=1 has more of them; BULKHEAD_SEED repeats a run.
 */

const LONG = process.env.BULKHEAD_LONG === '1'
const numRuns = LONG ? 10_000 : 150
const seed = process.env.BULKHEAD_SEED

const json = fc.oneof(
  fc.constantFrom(...Object.values(values)),
  fc.oneof(anyText(), fc.double(), fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value)),
  fc
    .dictionary(
      fc.constantFrom('$gt', '$ne', '$where', '__proto__', 'key', 'value', 'permissionKey', 'a.b', 'length'),
      fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
    )
    .map((value) => JSON.stringify([value])),
)

test('any values in several fields of a body at once: no failure, and nothing stored of what is refused', {
  timeout: LONG ? 1_800_000 : 120_000,
}, async (t) => {
  const { routes, good, ask, stored } = await target(t)
  const withBody = routes.filter(({ body }) => body !== undefined)
  let before = await stored()
  const changes = fc.constantFrom(...withBody).chain((route) =>
    fc.record({
      route: fc.constant(route),
      // One level: a field that is replaced has none within it any more.
      changed: fc.dictionary(
        fc.constantFrom(
          ...fieldsOf(route.body)
            .filter(({ length }) => length === 1)
            .map(nameOf),
        ),
        json,
        { minKeys: 1 },
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(changes, async ({ route: { method, path, operationId }, changed }) => {
      const unchanged = Object.entries(good[operationId] ?? {}).map(([field, value]) => [field, JSON.stringify(value)])
      const members = Object.entries({ ...Object.fromEntries(unchanged), ...changed })
      const body = `{${members.map(([field, value]) => `${JSON.stringify(field)}:${value}`).join(',')}}`
      const { status } = await ask({ method, path, body })
      const after = await stored()
      if (status >= 400) assert.equal(after, before)
      before = after
    }),
    { numRuns, includeErrorInReport: true, ...(seed === undefined ? {} : { seed: Number(seed) }) },
  )
})
