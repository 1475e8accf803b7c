import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadScenarios, type Report, runScenarios, type Scenario } from '@bulkhead/scenarios'
import { files, repository } from './testing/bench.js'
import { fakeCluster } from './testing/fake-cluster.js'

/*
 * The whole way of `verify --on kind`, but for the programs: live objects read, judged, attempts made, logs read, compared. What changes the
 * cluster has tests of its own.
 */

const all = await loadScenarios(join(repository, 'scenarios'))
const still = all.filter(({ given, change, only }) => given === undefined && change === undefined && only !== 'local')
const run = (target: Parameters<typeof runScenarios>[0], some: readonly Scenario[] = still): Promise<Report> =>
  runScenarios(target, some, { root: repository, parallel: 1 })

const told = ({ results }: Report, status: string): readonly string[] =>
  results.flatMap((one) =>
    one.status === status ? [`${one.scenario.id}: ${[...one.differences, one.because ?? ''].join('; ')}`] : [],
  )

describe('the suite on a cluster', () => {
  it('that does what its manifests say: everything as expected, and each stop witnessed', async (t) => {
    const { target } = fakeCluster(t, { declared: files, scenarios: all })
    const report = await run(target)
    assert.deepEqual([...told(report, 'differs'), ...told(report, 'unobserved')], [])
    assert.deepEqual(
      report.results.flatMap(({ unwitnessed, scenario }) => (unwitnessed ? [scenario.id] : [])),
      [],
    )
  })
})
