import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gettingThrough, judging, layers, loadAll, long, oneTarget, tryAll } from './testing/combinations.js'

/**
 * Each wall within the cluster off in turn: what that lets through gets through. BULKHEAD_LONG=1 has every combination of those that
 * judge connections but all on, with every scenario; the engine is always asked all of that, in packages/scenarios.
 */
const combinations: readonly (readonly string[])[] = long
  ? [
      judging,
      ...Array.from({ length: 2 ** judging.length - 1 }, (_, set) => [
        '10-admission',
        ...judging.filter((_layer, index) => set & (1 << index)),
      ]),
    ]
  : layers.filter((off) => off !== '70-ingress').map((off) => layers.filter((layer) => layer !== off))

const target = oneTarget()

test('expected, predicted and observed agree on this machine, with all walls on', async (t) =>
  tryAll(t, await target(), [layers]))

test('expected, predicted and observed agree on this machine, whatever walls are off', async (t) =>
  tryAll(t, await target(), combinations))

test('each wall within the cluster is the only one before some attack', async () => {
  const scenarios = await loadAll()
  for (const layer of ['10-admission', '20-network', '30-cilium', '40-mtls', '50-identity', '60-requests']) {
    const rest = layers.filter((one) => one !== layer)
    assert.notEqual(gettingThrough(scenarios, rest).length, 0, layer)
  }
})
