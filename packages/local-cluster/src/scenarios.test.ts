import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadScenarios, renderVerify, runScenarios, verifyPassed } from '@bulkhead/scenarios'
import { LocalCluster } from './cluster.js'
import { temporaryFolder } from './testing.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const walls = ['40-mtls', '50-identity']
const door = '70-ingress'

/**
 * Every combination of the walls inside, with the door and without it. What is inside does not hang on the door, so
 * without it the two extremes do for every day; BULKHEAD_LONG=1 has them all, and the engine is always asked all.
 */
const combinations = [true, false].flatMap((withDoor) =>
  Array.from({ length: 2 ** walls.length }, (_, set) => walls.filter((_wall, index) => set & (1 << index)))
    .filter(({ length }) => withDoor || length !== 1 || process.env.BULKHEAD_LONG === '1')
    .map((on) => (withDoor ? [...on, door] : on)),
)

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
    for (const on of combinations) {
      await cluster.setLayers({ on, off: [...walls, door].filter((wall) => !on.includes(wall)) })
      const report = await runScenarios(cluster, scenarios, { root })
      assert.ok(verifyPassed(report), renderVerify(report))
      const skipped = report.results.filter(({ status }) => status === 'skipped')
      if (on.length === walls.length + 1) assert.deepEqual(skipped, [], 'with everything on all are tried')
      const got = report.results.filter(
        ({ scenario, observed }) => scenario.kind === 'attack' && observed?.outcome === 'through',
      ).length
      through.set(on.join(' '), got)
    }
    // The walls are what stops them: each one that goes lets more through, and with both on nothing does.
    const [none, mtls, identity, both] = ['', '40-mtls ', '50-identity ', '40-mtls 50-identity '].map(
      (on) => through.get(`${on}${door}`) ?? Number.NaN,
    )
    assert.equal(both, 0)
    assert.ok(Number(identity) > 0, 'without 40-mtls some attack gets through')
    assert.ok(Number(mtls) > 0, 'without 50-identity some attack gets through')
    assert.ok(Number(none) > Number(mtls))
    assert.equal(through.get(walls.join(' ')), 0)
    assert.ok(Number(none) > Number(through.get('')), 'without the door there are fewer attacks to get through')
  } finally {
    await cluster.stop()
  }
})
