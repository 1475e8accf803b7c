import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  expected,
  loadScenarios,
  missing,
  renderVerify,
  runScenarios,
  type Scenario,
  verifyPassed,
} from '@bulkhead/scenarios'
import { LocalCluster } from './cluster.js'
import { temporaryFolder } from './testing.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const layers = ['20-network', '30-cilium', '40-mtls', '50-identity', '70-ingress']
const long = process.env.BULKHEAD_LONG === '1'

/**
 * All layers, each one off in turn, and none; BULKHEAD_LONG=1 has all combinations. The engine is always asked all of
 * them, in packages/scenarios.
 */
const combinations: readonly (readonly string[])[] = long
  ? Array.from({ length: 2 ** layers.length }, (_, set) => layers.filter((_layer, index) => !(set & (1 << index))))
  : [layers, ...layers.map((off) => layers.filter((layer) => layer !== off)), []]

/** What is expected of a scenario there, as text: two that are equal are the same experiment. */
function expectation(scenario: Scenario, on: readonly string[]): string {
  const there = new Set(on)
  return missing(scenario, there).length > 0 ? 'skipped' : JSON.stringify(expected(scenario, there))
}

/** With every layer on, all; otherwise those that a layer's absence changes, what is meant to work, and all when there is time. */
function toRun(scenarios: readonly Scenario[], on: readonly string[]): readonly Scenario[] {
  if (long || on.length === layers.length) return scenarios
  return scenarios.filter(
    (scenario) => scenario.kind === 'legitimate' || expectation(scenario, on) !== expectation(scenario, layers),
  )
}

const gotThrough = (scenario: Scenario, on: readonly string[]): boolean =>
  missing(scenario, new Set(on)).length === 0 && expected(scenario, new Set(on)).outcome === 'through'

/*
 * The whole promise at once, on processes and sockets: under each combination of walls, what the scenarios expect, what
 * the engine says and what a client sees are the same, for the same reason.
 */
test('expected, predicted and observed agree on this machine, whatever walls are on', async (t) => {
  const scenarios = await loadScenarios(join(root, 'scenarios'))
  const cluster = await LocalCluster.start({
    manifests: [join(root, 'k8s/workloads'), join(root, 'k8s/layers')],
    relativeTo: root,
    stateDir: temporaryFolder(t),
    outside: 'stand-in',
    connectTimeoutMs: 400,
  })
  try {
    assert.deepEqual(await cluster.whenReady(60_000), [])
    for (const on of combinations) {
      await cluster.setLayers({ on, off: layers.filter((layer) => !on.includes(layer)) })
      const started = performance.now()
      const asked = toRun(scenarios, on)
      const report = await runScenarios(cluster, asked, { root, parallel: 6 })
      assert.ok(verifyPassed(report), renderVerify(report))
      const skipped = report.results.filter(({ status }) => status === 'skipped')
      if (on.length === layers.length) assert.deepEqual(skipped, [], 'with everything on all are tried')
      const through = report.results
        .filter(({ scenario, observed }) => scenario.kind === 'attack' && observed?.outcome === 'through')
        .map(({ scenario }) => scenario.id)
      t.diagnostic(
        `${asked.length} with ${on.join(', ') || 'no layer'}: ${through.length} through (${((performance.now() - started) / 1000).toFixed(1)} s)`,
      )
      // Those that this combination lets through, and no others: with everything on none.
      const wanted = scenarios.filter((one) => one.kind === 'attack' && gotThrough(one, on)).map(({ id }) => id)
      assert.deepEqual(through.toSorted(), wanted.toSorted())
      if (on.length === layers.length) assert.deepEqual(through, [])
    }
    for (const layer of ['20-network', '30-cilium', '40-mtls', '50-identity']) {
      const rest = layers.filter((one) => one !== layer)
      const alone = scenarios.filter((one) => one.kind === 'attack' && gotThrough(one, rest)).map(({ id }) => id)
      assert.notEqual(alone.length, 0, `${layer} is the only wall before some attack`)
    }
  } finally {
    await cluster.stop()
  }
})
