import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
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
import { cleanUp, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { LocalCluster } from '../cluster.js'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
/** Those that judge connections. */
export const judging = ['20-network', '30-cilium', '40-mtls', '50-identity', '60-requests', '70-ingress'] as const
export const layers = ['10-admission', ...judging] as const
export const long = process.env.BULKHEAD_LONG === '1'

export const loadAll = (): Promise<readonly Scenario[]> => loadScenarios(join(root, 'scenarios'))

/** What is expected of a scenario there; undefined where it is skipped. */
const expectation = (scenario: Scenario, on: readonly string[]) => {
  const there = new Set(on)
  return missing(scenario, there).length > 0 ? undefined : expected(scenario, there)
}

/** The attacks that a combination lets through. */
export const gettingThrough = (scenarios: readonly Scenario[], on: readonly string[]): readonly string[] =>
  scenarios
    .filter((one) => one.kind === 'attack' && expectation(one, on)?.outcome === 'through')
    .map(({ id }) => id)
    .toSorted()

/** With every layer on, all; otherwise the attacks that get through because a layer is off. All of them where there is time. */
function toRun(scenarios: readonly Scenario[], on: readonly string[]): readonly Scenario[] {
  if (long || on.length === layers.length) return scenarios
  const through = new Set(gettingThrough(scenarios, on))
  return scenarios.filter(({ id }) => through.has(id))
}

/** What nobody answers is waited for this long, instead of the 5 s that are for whoever may be slow; on a busy machine a name takes its time too. */
const silenceMs = 3000

/**
 * What is served is waited for this long: on a busy machine the first request through services that have just started takes
 * seconds in their own processes, three of them one after the other.
 */
const servedMs = 20_000

/** With less patience where silence is what is expected (that a wall was the reason, its flow record says), and more where an answer is. */
function patient(scenario: Scenario, on: readonly string[]): Scenario {
  if (long) return scenario
  const wanted = expectation(scenario, on)
  const isSilent = wanted?.outcome === 'stopped' && wanted.wall.symptom === 'timeout'
  const { attempt, control } = scenario
  return {
    ...scenario,
    ...(isSilent && { attempt: { timeoutMs: silenceMs, ...attempt } }),
    ...(control !== undefined && { control: { ...control, attempt: { timeoutMs: servedMs, ...control.attempt } } }),
  }
}

/** Those with one control beside each other, since they share it; and among them those from one place, whose probe is kept. */
const byControl = (scenarios: readonly Scenario[]): readonly Scenario[] => {
  const key = ({ control, from }: Scenario) => `${JSON.stringify(control ?? '')} ${from}`
  return [...scenarios].sort((a, b) => key(a).localeCompare(key(b)))
}

/** One target for all tests of a file: its start takes as long as a hundred attempts. */
export function oneTarget(): () => Promise<LocalCluster> {
  const suite = wholeSuite()
  let started: Promise<LocalCluster> | undefined
  return () => {
    if (started !== undefined) return started
    const begun = LocalCluster.start({
      manifests: [join(root, 'k8s/workloads'), join(root, 'k8s/layers')],
      relativeTo: root,
      stateDir: temporaryFolder(suite),
      outside: 'stand-in',
      // A reset that comes later than this is taken for a proxy that gave up: more than a busy machine takes for one at once.
      connectTimeoutMs: 1500,
    })
    started = begun
    cleanUp(suite, async () => (await begun.catch(() => undefined))?.stop())
    return begun
  }
}

/**
 * The whole promise at once, on processes and sockets: under each of the combinations of walls, what the scenarios expect,
 * what the engine says and what a client sees are the same, for the same reason; and what gets through is what is said to.
 */
export async function tryAll(
  t: TestContext,
  cluster: LocalCluster,
  combinations: readonly (readonly string[])[],
): Promise<void> {
  const scenarios = await loadAll()
  assert.deepEqual(await cluster.whenReady(60_000), [])
  for (const on of combinations) {
    await cluster.setLayers({ on, off: layers.filter((layer) => !on.includes(layer)) })
    const started = performance.now()
    const asked = byControl(toRun(scenarios, on)).map((scenario) => patient(scenario, on))
    // Most of their time is waiting for what does not come.
    const report = await runScenarios(cluster, asked, { root, parallel: 12 })
    assert.ok(verifyPassed(report), renderVerify(report))
    const skipped = report.results.filter(({ status }) => status === 'skipped')
    if (on.length === layers.length) assert.deepEqual(skipped, [], 'with everything on all are tried')
    const through = report.results
      .filter(({ scenario, observed }) => scenario.kind === 'attack' && observed?.outcome === 'through')
      .map(({ scenario }) => scenario.id)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    t.diagnostic(`${asked.length} with ${on.join(', ') || 'no layer'}: ${through.length} through (${seconds} s)`)
    // Those that this combination lets through, and no others: with everything on none.
    assert.deepEqual(through.toSorted(), gettingThrough(scenarios, on))
    if (on.length === layers.length) assert.deepEqual(through, [])
  }
}
