import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ScenarioResult } from './result.js'
import { runScenarios } from './runner.js'
import { type FakeOptions, fakeTarget, runOne } from './testing/fake-target.js'
import * as sample from './testing/samples.js'
import type { Evidence, Observation, Scenario, Sighting } from './types.js'

/* Scenarios on a cluster: there are no records to the line, only what its points write down. */

const { attack, reset } = sample
const refusal: Sighting = {
  by: 'ztunnel',
  at: '2026-01-01T00:00:00.000Z',
  outcome: 'deny',
  source: { workload: 'shop/notsleep' },
  destination: { workload: 'shop/web-api' },
  code: 'authz.no-rule-allows',
  line: 'a line of ztunnel',
}
const seen = (observation: Observation, ...sightings: readonly Sighting[]): Evidence => ({
  observation,
  flows: [],
  sightings,
})
const served = seen(sample.served())
const on = (evidence: Evidence, options: FakeOptions = {}): Promise<ScenarioResult> =>
  runOne(attack, {
    name: 'kind',
    attempt: async (from) => (from === 'shop/sleep' ? served : evidence),
    ...options,
  })

describe('an attack on a cluster', () => {
  it('that is stopped, and the wall says so, is as expected; a default deny names no policy', async () => {
    const result = await on(seen(reset, refusal))
    assert.deepEqual([result.status, result.differences, result.unwitnessed], ['as-expected', [], undefined])
    assert.deepEqual(result.observed?.reason, { code: 'authz.no-rule-allows', layer: '50-identity', policies: [] })
    assert.deepEqual(result.sightings, [refusal])
    assert.equal(result.causes, undefined)
  })

  it('that is stopped, and nobody says by whom, is as expected, and counted as unwitnessed', async () => {
    const result = await on(seen(reset))
    assert.deepEqual([result.status, result.unwitnessed], ['as-expected', true])
    assert.equal(result.observed?.reason, undefined)
  })

  it('that no layer has to stop needs no witness', async () => {
    const wall = { layer: 'network', symptom: 'reset', code: 'network.nothing-listens' } as const
    const scenario: Scenario = { ...attack, expect: { walls: [wall], through: 'never' } }
    const step = { ...sample.denial, layer: undefined, isolatedBy: undefined, code: wall.code }
    const { layer: _, isolatedBy: __, ...bare } = step
    const result = await runOne(scenario, {
      name: 'kind',
      predict: async () => ({ ...sample.denied, steps: [bare] }),
      attempt: async (from) => (from === 'shop/sleep' ? served : seen(reset)),
    })
    assert.deepEqual([result.status, result.unwitnessed], ['as-expected', undefined])
  })

  it('that another wall says it stopped is different, with what to look at', async () => {
    const result = await on(seen(reset, { ...refusal, code: 'mtls.strict-no-identity' }))
    assert.equal(result.status, 'different')
    assert.match(
      result.differences[0] ?? '',
      /^expected the reason authz\.no-rule-allows, observed mtls\.strict-no-identity$/,
    )
    assert.ok((result.causes?.length ?? 0) > 0)
  })

  it('that a policy nobody predicts stopped is different', async () => {
    const result = await on(seen(reset, { ...refusal, policy: 'AuthorizationPolicy/shop/old' }))
    assert.equal(result.status, 'different')
    assert.match(result.differences.join('\n'), /AuthorizationPolicy\/shop\/old/)
  })

  it('that is stopped by the same words at another point is different', async () => {
    const result = await on(seen(reset, { ...refusal, by: 'waypoint' }))
    assert.equal(result.status, 'different')
    assert.match(result.differences[0] ?? '', /at ztunnel, the waypoint says authz\.no-rule-allows$/)
  })

  it('that gets through is different, whatever some line says', async () => {
    const result = await on(seen(sample.served(), refusal))
    assert.equal(result.status, 'different')
    assert.deepEqual(result.differences, ['expected stopped, observed through (ok)'])
    assert.match(
      result.causes?.[0] ?? '',
      /^the policy is not in force yet: .*npx bulkhead verify notsleep-to-web-api --on kind$/,
    )
    assert.match(result.causes?.join('\n') ?? '', /not in the mesh/)
  })

  it('that the engine predicts otherwise points to the objects', async () => {
    const result = await on(seen(reset, refusal), { predict: async () => sample.allowed })
    assert.equal(result.status, 'different')
    assert.match(
      result.causes?.[0] ?? '',
      /kubectl --kubeconfig \.bulkhead\/kind\/kubeconfig diff -k k8s\/layers\/50-identity$/,
    )
  })

  it('tells what was tried again, and which log could not be read', async () => {
    const notes = ['tried again: kubectl exec lost its connection']
    const result = await on({ ...seen(reset, refusal), notes })
    assert.deepEqual(result.notes, notes)
  })

  it('tells it of its control, too', async () => {
    const result = await on(seen(reset, refusal), {
      attempt: async (from) => (from === 'shop/sleep' ? { ...served, notes: ['tried again'] } : seen(reset, refusal)),
    })
    assert.deepEqual(result.notes, ['its control, before it: tried again', 'its control, after it: tried again'])
  })

  it('from outside sees a dropped packet as silence, since the node has taken the connection', async () => {
    const wall = { layer: '20-network', symptom: 'timeout', code: 'cni.default-deny' } as const
    const scenario: Scenario = { ...attack, from: 'outside', expect: { walls: [wall], through: { status: 200 } } }
    const drop: Sighting = { ...refusal, by: 'hubble', code: wall.code }
    const silent: Observation = { ...reset, symptom: 'no-answer' }
    const outcome = async (...sightings: readonly Sighting[]) => {
      const result = await runOne(scenario, {
        name: 'kind',
        layers: ['20-network'],
        on: ['20-network'],
        predict: async () => ({
          ...sample.denied,
          symptom: 'timeout',
          steps: [{ ...sample.denial, point: 'cni-ingress', layer: '20-network', code: wall.code }],
        }),
        attempt: async (from) => (from === 'shop/sleep' ? served : seen(silent, ...sightings)),
      })
      return [result.status, result.observed?.symptom]
    }
    assert.deepEqual(await outcome(drop), ['as-expected', 'timeout'])
    assert.deepEqual(await outcome(), ['different', 'no-answer'], 'and nobody else says that it was dropped')
  })

  it('on an open connection shows nothing of one that was never open', async () => {
    const scenario: Scenario = { ...attack, attempt: { ...attack.attempt, hold: true }, change: { without: ['a/b/c'] } }
    const result = await runOne(scenario, {
      name: 'kind',
      attempt: async (from) => (from === 'shop/sleep' ? served : seen(reset, refusal)),
    })
    assert.match(result.differences.join('\n'), /it was never open \(it ended at "request"\)/)
  })
})

describe('an attempt that a target has no way to make', () => {
  const notHere = (): Error => Object.assign(new Error('no key of a pod can be had'), { code: 'not-makeable' })

  it('is told as such: nothing is known of it, and it is neither skipped nor failed', async () => {
    const result = await on(served, {
      attempt: async (from) => {
        if (from === 'shop/sleep') return served
        throw notHere()
      },
    })
    assert.deepEqual([result.status, result.because], ['not-made', 'no key of a pod can be had'])
    assert.equal(result.observed, undefined)
  })

  it('likewise its control', async () => {
    const result = await on(served, { attempt: () => Promise.reject(notHere()) })
    assert.equal(result.status, 'not-made')
    assert.match(result.because ?? '', /^its control, shop\/sleep, could not be made before the attempt: no key/)
  })

  it('any other error is a failure', async () => {
    const result = await on(served, {
      attempt: async (from) => {
        if (from === 'shop/sleep') return served
        throw Object.assign(new Error('lost'), { code: 'kubectl' })
      },
    })
    assert.equal(result.status, 'not-observed')
    assert.ok((result.causes?.length ?? 0) > 0)
  })
})

it('the local target is held to its records, and told no causes', async () => {
  const { results } = await runScenarios(fakeTarget({ attempt: async () => sample.through() }), [attack], {
    root: '/nowhere',
  })
  assert.equal(results[0]?.status, 'different')
  assert.equal(results[0]?.causes, undefined)
})
