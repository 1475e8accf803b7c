import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import {
  expected,
  loadScenarios,
  type Report,
  runScenarios,
  type Scenario,
  type ScenarioResult,
  silentWitnesses,
  verifyPassed,
} from '@bulkhead/scenarios'
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

const everyLayer = [...new Set(files.flatMap(({ layer }) => layer ?? []))].toSorted()

const told = ({ results }: Report, status: ScenarioResult['status']): readonly string[] =>
  results.flatMap((one) =>
    one.status === status ? [`${one.scenario.id}: ${[...one.differences, one.because ?? ''].join('; ')}`] : [],
  )

describe('the suite on a cluster', () => {
  it('that does what its manifests say: everything as expected, and each stop witnessed', async (t) => {
    const { target } = fakeCluster(t, { declared: files, scenarios: still })
    const report = await run(target)
    assert.ok(report.results.filter(({ status }) => status === 'as-expected').length > 150)
    assert.deepEqual([...told(report, 'different'), ...told(report, 'not-observed')], [])
    assert.deepEqual(
      report.results.flatMap(({ unwitnessed, scenario }) => (unwitnessed ? [scenario.id] : [])),
      [],
    )
    assert.deepEqual([silentWitnesses(report), verifyPassed(report)], [[], true])
  })

  for (const [by, name, look] of [
    ['hubble', /^Cilium \(Hubble\) said nothing of \d\d+ attempts/, /hubble observe/],
    ['ztunnel', /^ztunnel said nothing of \d+ attempts/, /logs -n istio-system ds\/ztunnel/],
    ['proxy', /^the waypoints and gateways said nothing of \d\d+ attempts/, /configmap/],
  ] as const)
    it(`with everything as expected, and ${by} that says nothing or cannot be read, proves nothing`, async (t) => {
      for (const [fault, how] of [
        [{ mute: by }, /there; nothing shows/],
        [{ unreadable: by }, /there: what it records could not be read; nothing shows/],
      ] as const) {
        const report = await run(fakeCluster(t, { declared: files, scenarios: still, ...fault }).target)
        const silent = silentWitnesses(report)
        assert.equal(silent.length, 1, silent.map(({ says }) => says).join())
        assert.match(silent[0]?.says ?? '', name)
        assert.match(silent[0]?.says ?? '', how)
        assert.match(silent[0]?.look ?? '', look)
        assert.equal(verifyPassed(report), false)
      }
    })
})

/** What is not as expected, by id. */
const wrong = ({ results }: Report): readonly ScenarioResult[] =>
  results.filter(({ status }) => status === 'different' || status === 'not-observed')
const ids = (some: readonly { readonly scenario: Scenario }[]): readonly string[] =>
  some.map(({ scenario }) => scenario.id)
const unlike = ({ causes = [] }: ScenarioResult, words: RegExp): boolean => !causes.some((one) => words.test(one))

describe('a planted fault', () => {
  it('a policy that is missing on the cluster: its layer is half a wall, and what is left of it is no surprise', async (t) => {
    const declared = files.filter(({ id }) => id !== 'AuthorizationPolicy/shop/web-api-rbac')
    const report = await run(fakeCluster(t, { declared, scenarios: still }).target)
    assert.deepEqual(
      report.layers.filter(({ on }) => !on).map(({ name }) => name),
      ['50-identity'],
    )
    // Where that layer alone would stop it, the rest of it does.
    const alone = still.filter((scenario) => {
      const how = expected(scenario, new Set(everyLayer))
      return 'wall' in how && how.wall.layer === '50-identity'
    })
    const found = wrong(report)
    assert.deepEqual(
      ids(found).filter((id) => !alone.some((one) => one.id === id)),
      [],
    )
    assert.ok(found.length > 0)
    assert.deepEqual(ids(found.filter((one) => unlike(one, /diff -k k8s\/layers\/50-identity$/))), [])
  })

  it('a network that enforces nothing: all that it would stop, and nothing else', async (t) => {
    const layers = ['20-network', '30-cilium']
    const enforced = files.filter(({ layer = '' }) => !layers.includes(layer))
    const report = await run(fakeCluster(t, { declared: files, enforced, scenarios: still }).target)
    const theirs = report.results.filter(
      ({ status, expected: { reason } }) => status !== 'not-made' && layers.includes(reason?.layer ?? ''),
    )
    const found = wrong(report)
    assert.deepEqual(ids(found), ids(theirs))
    assert.ok(found.length > 50, `${found.length}`)
    assert.deepEqual(ids(found.filter((one) => unlike(one, /npx bulkhead cluster doctor/))), [])
  })

  it('a pod that is not in the mesh and should be: what it calls, and what is shown by its calls', async (t) => {
    const enforced = files.map((one) => (one.id === 'Deployment/shop/sleep' ? outOfTheMesh(one) : one))
    const report = await run(fakeCluster(t, { declared: files, enforced, scenarios: still }).target)
    const found = wrong(report)
    const byIt = ({ scenario: { from, control } }: ScenarioResult): boolean =>
      [from, control?.from].includes('shop/sleep')
    assert.deepEqual(ids(found.filter((one) => !byIt(one))), [])
    assert.ok(ids(found).includes('chain-answers-sleep'), ids(found).join())
    // Where it is the control as well, nothing is known.
    const itself = found.filter(({ scenario, status }) => scenario.from === 'shop/sleep' && status === 'different')
    assert.ok(itself.length > 1)
    assert.deepEqual(ids(itself.filter((one) => unlike(one, /istio\.io\/dataplane-mode/))), [])
  })
})

/** A Deployment whose pods have the label that keeps them out. */
function outOfTheMesh(one: Resource): Resource {
  const { metadata, ...rest } = one.object
  const text = JSON.stringify(rest).replace('"template":{"metadata":{"labels":{', `$&"istio.io/dataplane-mode":"none",`)
  assert.notEqual(text, JSON.stringify(rest))
  return { ...one, object: { ...JSON.parse(text), metadata } }
}
