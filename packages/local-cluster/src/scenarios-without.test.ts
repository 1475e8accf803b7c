import { test } from 'node:test'
import { judging, layers, long, tryAll } from './testing/combinations.js'

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

test('expected, predicted and observed agree on this machine, whatever walls are off', (t) => tryAll(t, combinations))
