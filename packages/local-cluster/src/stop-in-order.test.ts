import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import { type Call, callsOf, stopInOrder } from './stop-in-order.js'

/** Pods that end when they are told to; what was told to whom, and who has ended, in order. */
function pods(...keys: readonly string[]) {
  const said: string[] = []
  const waiting = new Map<string, () => void>()
  const all = keys.map((key) => ({
    key,
    stop: async (graceMs?: number) => {
      said.push(graceMs === undefined ? `stop ${key}` : `stop ${key} in ${graceMs}`)
      await new Promise<void>((resolve) => waiting.set(key, resolve))
      said.push(`${key} ended`)
    },
  }))
  const ends = async (key: string) => {
    waiting.get(key)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { all, said, ends }
}

test('a pod ends when no living one calls it any more, whoever it calls itself', async () => {
  const { all, said, ends } = pods('store', 'api', 'shop', 'idle')
  let calls: readonly Call[] = [
    { from: 'shop', to: 'api' },
    { from: 'api', to: 'store' },
    { from: 'api', to: 'api' },
    { from: 'elsewhere', to: 'shop' },
  ]
  const over = stopInOrder(all, () => calls, 7)
  assert.deepEqual(said, ['stop shop in 7', 'stop idle in 7'])
  await ends('idle')
  assert.deepEqual(said.slice(2), ['idle ended'])
  await ends('shop')
  assert.deepEqual(said.slice(3), ['shop ended', 'stop api in 7'])
  // Its pool is closed meanwhile: what counts is that it has ended.
  calls = []
  await ends('api')
  assert.deepEqual(said.slice(5), ['api ended', 'stop store in 7'])
  await ends('store')
  await over
})

test('those that call each other in a circle end together, and nobody waits for ever for a stuck one', async () => {
  const circle = pods('a', 'b')
  const over = stopInOrder(circle.all, () => [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ])
  assert.deepEqual(circle.said, ['stop a', 'stop b'])
  await circle.ends('a')
  await circle.ends('b')
  await over
  const stuck = pods('a', 'b', 'c')
  const chain = () => [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
  ]
  const end = stopInOrder(stuck.all, chain, undefined, 100)
  assert.deepEqual(stuck.said, ['stop a'])
  await eventually('patience is over', () => stuck.said.length > 1)
  assert.deepEqual(stuck.said, ['stop a', 'stop b', 'stop c'])
  for (const key of ['a', 'b', 'c']) await stuck.ends(key)
  await end
})

test('a call that ended a moment ago counts, one that was denied or is long over does not', () => {
  const record = (to: string, agoMs: number, outcome: 'allow' | 'deny' = 'allow') =>
    ({
      source: { pod: 'a', ip: '' },
      destination: { pod: to, port: 1 },
      outcome,
      start: new Date(Date.now() - agoMs).toISOString(),
      durationMs: 10,
    }) as FlowRecord
  const flows = () => [record('now', 100), record('old', 60_000), record('denied', 100, 'deny')]
  assert.deepEqual(callsOf({ calls: () => [{ from: 'a', to: 'open' }], flows }), [
    { from: 'a', to: 'open' },
    { from: 'a', to: 'now' },
  ])
})
