import assert from 'node:assert/strict'
import { it } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { createCa } from './ca.js'
import { Credentials } from './credentials.js'

const HOUR_MS = 3_600_000

it('a certificate that is over its half is renewed before it is shown, if no timer has done so', async (t) => {
  // A laptop that slept: the clock has gone on, and timers have not.
  let now = Date.now()
  const ca = await createCa({ now: () => now, ttlMs: HOUR_MS })
  const rotated: string[] = []
  const credentials = await Credentials.obtain(ca, 'spiffe://cluster.local/ns/shop/sa/sleep', (serial) =>
    rotated.push(serial),
  )
  cleanUp(t, () => credentials.close())
  const first = await credentials.fresh()
  now += HOUR_MS / 2 - 2_000
  assert.equal(await credentials.fresh(), first)
  now += 2 * HOUR_MS
  const [second, same] = await Promise.all([credentials.fresh(), credentials.fresh()])
  assert.notEqual(second.serial, first.serial)
  assert.equal(second, same)
  assert.ok(second.notAfter.getTime() > now)
  assert.deepEqual(rotated, [second.serial])
})
