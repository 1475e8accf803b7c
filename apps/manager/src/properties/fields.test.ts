import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutNulls } from '../http/body.js'
import type { Route } from '../http/route.js'
import { bodyWith, bodyWithout, fieldsOf, isNamed, nameOf, type Path, spelled } from './testing/hostile/fields.js'
import { isTaken } from './testing/hostile/taken.js'
import { sharedTarget, type Target } from './testing/hostile/target.js'
import { noValues, values } from './testing/hostile/values.js'

/*
 * The values of testing/hostile/values.ts in every field of every route that has a body. Which fields there are is read from the routes: one that is added to a
 * schema, and to no good body of target.ts there, fails here. Each run has an eighth of the values for each field, another eighth for the next one;
 * BULKHEAD_LONG=1 has all of them for each.
 */

const SHARE = process.env.BULKHEAD_LONG === '1' ? 1 : 8

const shared = sharedTarget()

/** What a value is refused with that is none of this field. */
const refusals: ReadonlySet<string | undefined> = new Set([
  'INVALID_BODY',
  'VALIDATION_FAILED',
  'CREDENTIALS_REQUIRED',
  'USER_ID_INVALID',
  'ROLE_ID_INVALID',
  'STRATEGY_ID_REQUIRED',
  'INTENT_IDS_REQUIRED',
  'BODY_TOO_LARGE',
])

interface Field {
  readonly route: Route
  readonly path: Path
  readonly good: object
  /** Of a list, what this field has in this run. */
  readonly share: <T>(list: readonly T[]) => readonly T[]
}

function everyField({ good, routes }: Target): Field[] {
  let number = 0
  return routes.flatMap((route) =>
    fieldsOf(route.body).map((path) => {
      const body = good[route.operationId]
      assert.ok(body, `there is no good body of ${route.operationId}`)
      const mine = ++number % SHARE
      return {
        route,
        path,
        good: spelled(body, path),
        share: (list) => list.filter((_, index) => index % SHARE === mine),
      }
    }),
  )
}

test('any value in any field of any route: a 4xx that names the field, and nothing is stored; or it is known to be taken', async () => {
  const its = await shared()
  for (const { route, path, good, share } of everyField(its)) {
    const { method, operationId } = route
    const name = nameOf(path)
    const all = share(Object.entries(values)).map(([value, json]) => ({
      value,
      json,
      body: bodyWith(good, path, json),
    }))
    // Those first that are to be refused: the same is stored after all of them as before.
    const isRefused = ({ json, body }: (typeof all)[number]) =>
      !route.body?.safeParse(json === 'null' ? bodyWithout(good, path) : withoutNulls(JSON.parse(body))).success
    const refused = all.filter(isRefused)
    const before = await its.stored()
    for (const { value, body } of refused) {
      const { code, fields, text } = await its.ask({ method, path: route.path, body })
      const what = `${operationId} ${name}, ${value}: ${text}`
      assert.ok(refusals.has(code) && !isTaken(operationId, name, value), what)
      assert.ok(code === 'BODY_TOO_LARGE' || isNamed(fields, path), `does not name it: ${what}`)
    }
    assert.equal(await its.stored(), before, `something of what was refused is stored: ${operationId} ${name}`)
    for (const { value, body } of all.filter((one) => !refused.includes(one))) {
      const { code, fields, text } = await its.ask({ method, path: route.path, body })
      const what = `${operationId} ${name}, ${value}: ${text}`
      assert.equal(!refusals.has(code), isTaken(operationId, name, value), what)
      assert.ok(!refusals.has(code) || isNamed(fields, path), `does not name it: ${what}`)
    }
  }
})

test('what is no JSON, in any field: 400 Invalid request body, and nothing is stored', async () => {
  const its = await shared()
  const before = await its.stored()
  for (const { route, path, good, share } of everyField(its)) {
    for (const [value, json] of share(Object.entries(noValues))) {
      const { status, code, text } = await its.ask({
        method: route.method,
        path: route.path,
        body: bodyWith(good, path, json),
      })
      const what = `${route.operationId} ${nameOf(path)}, ${value}: ${text}`
      assert.deepEqual([status, code], [400, 'INVALID_BODY'], what)
    }
  }
  assert.equal(await its.stored(), before)
})
