import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge as judgeFlow, type Point, type Step, type Verdict } from '@bulkhead/verdict'
import { flowOf } from './flow.js'
import { judge } from './judged.js'
import { expectedView } from './result.js'
import { scenarios, snapshotsOf } from './testing/in-force.js'
import { allLayers, layers } from './testing/repository.js'
import type { Evidence, Scenario, Sighting, Witness } from './types.js'
import { expected, missing } from './walls.js'

/*
 * Every scenario as a cluster would tell of it that does what the engine predicts: its logs name the policy of a rule that
 * denies, and nothing of a default deny. Nothing of that may look like a difference.
 */

const witnesses: Partial<Record<Point, Witness>> = {
  'cni-egress': 'hubble',
  'cni-ingress': 'hubble',
  ztunnel: 'ztunnel',
  waypoint: 'waypoint',
  gateway: 'gateway',
}
/** What logs have no words for. */
const wordless = /^(?:route\.no-(?:host|match)|network\.)/
const names = new Set(['authz.rule-denies', 'cni.rule-denies'])

function told({ point, code, policy }: Step): readonly Sighting[] {
  const by = witnesses[point]
  if (by === undefined || code.startsWith('network.')) return []
  return [
    {
      by,
      at: '2026-01-01T00:00:00.000Z',
      outcome: 'deny',
      source: {},
      destination: {},
      ...(wordless.test(code) ? {} : { code }),
      ...(names.has(code) && policy !== undefined ? { policy } : {}),
      line: 'a line',
    },
  ]
}

function evidenceOf({ symptom }: Verdict, { change }: Scenario, sightings: readonly Sighting[]): Evidence {
  const phase = change === undefined ? 'request' : 'held'
  return { observation: { symptom, phase, timings: {}, bytes: 0 }, flows: [], sightings }
}

const snapshotFor = snapshotsOf()
const admission = allLayers.find((layer) => !layers.includes(layer))

/** What was denied, its verdict, and which of its steps decided. */
function denied(on: readonly string[]): readonly (readonly [Scenario, Verdict, Step])[] {
  return scenarios.flatMap((scenario) => {
    const flow = flowOf(scenario.from, scenario.attempt)
    if (flow === undefined || missing(scenario, new Set(on)).length > 0) return []
    const verdict = judgeFlow(flow, snapshotFor(scenario, on))
    const step = verdict.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
    return verdict.outcome === 'deny' && step !== undefined ? [[scenario, verdict, step] as const] : []
  })
}

describe('every scenario, as the logs of a cluster would tell of it', () => {
  for (const on of [layers, ...layers.map((layer) => [layer])]) {
    const all = denied(on)

    it(`agrees, with ${on.join(', ')} on`, () => {
      const wrong: string[] = []
      for (const [scenario, verdict, step] of all) {
        const expectation = expectedView(expected(scenario, new Set(on)))
        const evidence = evidenceOf(verdict, scenario, told(step))
        const { differences, unwitnessed } = judge(scenario, 'kind', expectation, { predicted: { verdict }, evidence })
        for (const difference of differences) wrong.push(`${scenario.id}: ${difference}`)
        if (unwitnessed === true) wrong.push(`${scenario.id}: unwitnessed`)
      }
      assert.deepEqual(wrong, [])
      assert.ok(all.length > 5, `${all.length} of them are denied`)
    })

    it(`agrees whichever policy of the point that decides is named, with ${on.join(', ')} on`, () => {
      const wrong: string[] = []
      for (const [scenario, verdict, decides] of all) {
        const expectation = expectedView(expected(scenario, new Set(on)))
        const others = verdict.steps.filter(
          (step) => step.outcome === 'deny' && step.point === decides.point && step !== decides,
        )
        for (const step of others) {
          const evidence = evidenceOf(verdict, scenario, told(step))
          const { differences } = judge(scenario, 'kind', expectation, { predicted: { verdict }, evidence })
          for (const difference of differences) wrong.push(`${scenario.id}: ${difference}`)
        }
      }
      assert.deepEqual(wrong, [])
    })

    it(`is unwitnessed without them, or needs no witness, with ${on.join(', ')} on`, () => {
      const silent = all.filter(([scenario, verdict]) => {
        const expectation = expectedView(expected(scenario, new Set(on)))
        const evidence = evidenceOf(verdict, scenario, [])
        return judge(scenario, 'kind', expectation, { predicted: { verdict }, evidence }).unwitnessed === true
      })
      const byLayer = all.filter(([scenario]) => {
        const how = expected(scenario, new Set(on))
        return 'wall' in how && allLayers.includes(how.wall.layer)
      })
      assert.deepEqual(
        silent.map(([{ id }]) => id),
        byLayer.map(([{ id }]) => id),
      )
    })
  }

  it('is about what layers but admission stop, which answers in words of its own', () => {
    assert.equal(admission, '10-admission')
  })
})
