import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { type Attempt, loadScenarios, type Scenario } from '@bulkhead/scenarios'
import { outsideRoot } from '../../testing/index.js'
import { TargetError } from '../errors.js'
import { type Live, liveOf } from '../live/index.js'
import { files, repository } from '../testing/bench.js'
import { served } from '../testing/served.js'
import { mustBePlain } from './from-node.js'
import { ran } from './ran.js'
import { resolveAttempt, resolveFromOutside } from './resolve.js'
import { callerOf } from './where.js'

const scenarios = (await loadScenarios(join(repository, 'scenarios'))).filter(({ only }) => only !== 'local')

/** The cluster on which a scenario is tried, with all layers but admission: what that refuses is not there to call anybody. */
function clusterFor({ given }: Scenario): Live {
  const base = files.filter(({ layer }) => layer !== '10-admission')
  const brought = (given?.manifests ?? []).flatMap(
    (file): readonly Resource[] => parseManifests(readFileSync(join(repository, file), 'utf8'), file).resources,
  )
  const gone = new Set([...(given?.without ?? []), ...brought.map(({ id }) => id)])
  const inForce = [...base.filter(({ id }) => !gone.has(id)), ...brought]
  return liveOf(served(inForce), inForce)
}

/** How it is made; or why it cannot be. */
function wayOf(from: string, attempt: Attempt, live: Live): string {
  if (attempt.kind === 'run') return ran(from, live).symptom
  const caller = callerOf(from, attempt, live)
  if (caller.kind === 'outside') resolveFromOutside(attempt, live.snapshot)
  else resolveAttempt(from, attempt, live.snapshot, undefined, { address: '172.18.0.5', root: outsideRoot })
  if (caller.kind === 'node') mustBePlain(attempt)
  return caller.kind
}

/** What no cluster of kind's has a way to make. Whatever is added here is a scenario less that is proven there. */
const notMakeable = JSON.parse(
  readFileSync(join(repository, 'packages/kind-cluster/fixtures/not-makeable.json'), 'utf8'),
)

test('every scenario can be tried on a cluster, or is known not to be', () => {
  const usual = clusterFor(scenarios.find(({ given }) => given === undefined) ?? assert.fail('none'))
  const ways = new Map<string, number>()
  const not: Record<string, string> = {}
  for (const scenario of scenarios) {
    const { id, given, from, attempt, control } = scenario
    const live = given === undefined ? usual : clusterFor(scenario)
    try {
      const way = wayOf(from, attempt, live)
      if (control !== undefined) wayOf(control.from, control.attempt, live)
      ways.set(way, (ways.get(way) ?? 0) + 1)
    } catch (error) {
      if (!(error instanceof TargetError) || error.code !== 'not-makeable') throw new Error(`${id}: ${String(error)}`)
      not[id] = error.message
    }
  }
  assert.deepEqual(Object.keys(not).toSorted(), notMakeable, JSON.stringify(not, undefined, 2))
  assert.deepEqual([...ways.keys()].toSorted(), ['node', 'ok', 'outside', 'owned', 'probe', 'shell'])
  assert.ok([...ways.values()].reduce((sum, one) => sum + one, 0) > 200, JSON.stringify([...ways]))
})
