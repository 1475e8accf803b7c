import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadScenarios, renderVerify, runScenarios, verifyPassed } from '@bulkhead/scenarios'
import { LocalCluster } from './cluster.js'
import { temporaryFolder } from './testing.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const walls = ['40-mtls', '50-identity', '70-ingress']

/*
 * The whole promise at once, on processes and sockets: under every combination of walls, what the scenarios expect, what
 * the engine says and what a client sees are the same, for the same reason.
 */
test('expected, predicted and observed agree on this machine, whatever walls are on', async (t) => {
  const scenarios = await loadScenarios(join(root, 'scenarios'))
  const cluster = await LocalCluster.start({
    manifests: [join(root, 'k8s/workloads'), join(root, 'k8s/layers')],
    relativeTo: root,
    stateDir: temporaryFolder(t),
  })
  try {
    assert.deepEqual(await cluster.whenReady(20_000), [])
    const through = new Map<string, number>()
    for (let set = 0; set < 2 ** walls.length; set += 1) {
      const on = walls.filter((_, index) => set & (1 << index))
      await cluster.setLayers({ on, off: walls.filter((wall) => !on.includes(wall)) })
      const report = await runScenarios(cluster, scenarios, { root })
      assert.ok(verifyPassed(report), renderVerify(report))
      const got = report.results.filter(
        ({ scenario, observed }) => scenario.kind === 'attack' && observed?.outcome === 'through',
      ).length
      through.set(on.join(' and ') || 'none', got)
    }
    // The walls are what stops them: each one that goes lets more through, and with both on nothing does.
    assert.equal(through.get('40-mtls and 50-identity'), 0)
    assert.ok(through.get('40-mtls') ?? 0, 'without 50-identity some attack gets through')
    assert.ok(through.get('50-identity') ?? 0, 'without 40-mtls some attack gets through')
    assert.ok((through.get('none') ?? 0) > (through.get('40-mtls') ?? 0))
  } finally {
    await cluster.stop()
  }
})
