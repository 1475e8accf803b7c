import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gettingThrough, layers, loadAll, tryAll } from './testing/combinations.js'

test('expected, predicted and observed agree on this machine, with all walls on', (t) => tryAll(t, [layers]))

test('each wall within the cluster is the only one before some attack', async () => {
  const scenarios = await loadAll()
  for (const layer of ['10-admission', '20-network', '30-cilium', '40-mtls', '50-identity', '60-requests']) {
    const rest = layers.filter((one) => one !== layer)
    assert.notEqual(gettingThrough(scenarios, rest).length, 0, layer)
  }
})
