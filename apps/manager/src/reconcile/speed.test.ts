import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bigCluster, later, think } from './testing/big-cluster.js'

/** Processor time of the best of several rounds, in ms. */
function best(rounds: number, work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1_000)
  }
  return least
}

/** What it is measured in: the cluster's pods written as JSON and read again, as a list of them comes over the network. */
const BOUND = 35

test('10,000 pods and 500 strategies: what a run thinks costs as much as reading the list of pods a few times', (t) => {
  const big = bigCluster(10_000, 500)
  const changed = later(big)
  const unit = best(5, () => JSON.parse(JSON.stringify(big.pods)))
  assert.deepEqual(think(big).plans, [])
  assert.ok(think(changed).plans.length > 200)
  const quiet = best(5, () => think(big))
  const busy = best(5, () => think(changed))
  t.diagnostic(
    `${big.intents.length} intents; unit ${unit.toFixed(0)} ms, nothing to do ${quiet.toFixed(0)} ms, much to do ${busy.toFixed(0)} ms`,
  )
  assert.ok(quiet < BOUND * unit, `${quiet} ms, in units of ${unit} ms`)
  assert.ok(busy < BOUND * unit, `${busy} ms, in units of ${unit} ms`)
})
