import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ScenarioResult } from './result.js'
import { runScenarios } from './runner.js'
import { type FakeOptions, fakeTarget, runOne } from './testing/fake-target.js'
import * as sample from './testing/samples.js'
import type { Evidence, Scenario } from './types.js'

const root = '/nowhere'

/** The attacker sees this; the control is served. */
const attacker =
  (evidence: Evidence): NonNullable<FakeOptions['attempt']> =>
  async (from) =>
    from === 'shop/notsleep' ? evidence : sample.through()

const denialBy = (changes: object): Evidence => ({
  observation: sample.reset,
  flows: [sample.record({ steps: [{ ...sample.denial, ...changes }] })],
})
const verdictBy = (changes: object) => async () => ({ ...sample.denied, steps: [{ ...sample.denial, ...changes }] })

describe('a layer that somebody else switches during a run', () => {
  const off = { name: '50-identity', on: false, objects: 1 }
  const nobodys = { name: '40-mtls', on: true, objects: 1 }

  it('is named by each difference after it, and by none before', async () => {
    const target = fakeTarget()
    let isOff = false
    const reached = sample.through()
    const results: ScenarioResult[] = []
    await runScenarios(
      {
        ...target,
        layers: async () => (isOff ? [nobodys, off] : target.layers()),
        predict: async () => sample.allowed,
        attempt: async () => reached,
      },
      [sample.attack, { ...sample.attack, id: 'second' }],
      {
        root,
        parallel: 1,
        onResult: (result) => {
          results.push(result)
          isOff = true
        },
      },
    )
    assert.deepEqual(
      results.map(({ status, notes }) => [status, notes]),
      [
        ['different', undefined],
        [
          'different',
          [
            '50-identity was switched off by somebody else since the run began; run it again while nobody changes anything',
          ],
        ],
      ],
    )
  })

  it('is told of nothing that is as expected, nor by a target that is gone', async () => {
    for (const [attempt, status] of [
      [undefined, 'as-expected'],
      [async () => sample.through(), 'different'],
    ] as const) {
      const target = fakeTarget(attempt === undefined ? {} : { attempt })
      let asked = 0
      const gone: typeof target.layers = async () => {
        asked += 1
        if (asked > 1) throw new Error('nobody answers')
        return target.layers()
      }
      const { results } = await runScenarios({ ...target, layers: gone }, [sample.attack], { root })
      assert.deepEqual([results[0]?.status, results[0]?.notes], [status, undefined])
    }
  })
})

describe('a scenario on which all agree', () => {
  it('is as expected when the wall is on', async () => {
    const result = await runOne(sample.attack)
    assert.deepEqual(result.differences, [])
    assert.equal(result.status, 'as-expected')
    assert.equal(result.observed?.outcome, 'stopped')
    assert.equal(result.control?.symptom, 'ok')
  })

  it('is as expected when the wall is off and the attack gets through', async () => {
    const result = await runOne(sample.attack, { on: ['40-mtls'] })
    assert.deepEqual(result.differences, [])
    assert.equal(result.observed?.outcome, 'through')
  })

  it('needs no control when it is legitimate', async () => {
    const target = fakeTarget()
    const { results } = await runScenarios(target, [sample.legitimate], { root })
    assert.equal(results[0]?.status, 'as-expected')
    assert.deepEqual(target.calls, ['predict shop/sleep', 'attempt shop/sleep'])
  })

  it('takes a wall that is always on without a layer', async () => {
    const wall = { layer: 'mesh', symptom: 'tls-refused', code: 'hbone.no-certificate' } as const
    const { layer: _, isolatedBy: __, ...bare } = sample.denial
    const step = { ...bare, code: 'hbone.no-certificate' } as const
    const result = await runOne(
      { ...sample.attack, expect: { walls: [wall], through: 'never' } },
      {
        predict: async () => ({ ...sample.denied, symptom: 'tls-refused', steps: [step] }),
        attempt: attacker({
          observation: { ...sample.reset, symptom: 'tls-refused' },
          flows: [sample.record({ steps: [step] })],
        }),
      },
    )
    assert.deepEqual(result.differences, [])
  })
})

describe('a scenario on which one disagrees', () => {
  const cases: readonly { name: string; options: FakeOptions; scenario?: Scenario; says: RegExp }[] = [
    {
      name: 'the engine lets it through',
      options: { predict: async () => sample.allowed },
      says: /expected stopped, predicted through \(ok\)/,
    },
    {
      name: 'the engine cannot say',
      options: { predict: async () => ({ ...sample.allowed, outcome: 'unknown' }) },
      says: /expected stopped, predicted unknown/,
    },
    {
      name: 'the engine predicts another symptom',
      options: { predict: async () => ({ ...sample.denied, symptom: 'timeout' }) },
      says: /expected the symptom reset, predicted timeout/,
    },
    {
      name: 'the engine has another reason',
      options: { predict: verdictBy({ code: 'authz.rule-denies' }) },
      says: /expected the reason authz.no-rule-allows, predicted authz.rule-denies/,
    },
    {
      name: 'the engine names another layer',
      options: { predict: verdictBy({ layer: '40-mtls' }) },
      says: /expected the layer 50-identity to decide, predicted 40-mtls/,
    },
    {
      name: 'the engine names other policies',
      options: { predict: verdictBy({ isolatedBy: sample.denial.isolatedBy?.slice(0, 1) }) },
      says: /expected AuthorizationPolicy\/shop\/web-api-rbac to decide, predicted AuthorizationPolicy\/shop\/allow-nothing/,
    },
    {
      name: 'the attacker is served',
      options: { attempt: attacker(sample.through()) },
      says: /expected stopped, observed through \(ok\)/,
    },
    {
      name: 'the attacker sees something else',
      options: { attempt: attacker({ ...sample.stopped, observation: { ...sample.reset, symptom: 'late-reset' } }) },
      says: /expected the symptom reset, observed late-reset/,
    },
    {
      name: 'it is stopped for another reason',
      options: { attempt: attacker(denialBy({ code: 'mtls.strict-no-identity' })) },
      says: /expected the reason authz.no-rule-allows, observed mtls.strict-no-identity/,
    },
    {
      name: 'it is stopped by another layer',
      options: { attempt: attacker(denialBy({ layer: '40-mtls' })) },
      says: /expected the layer 50-identity to decide, observed 40-mtls/,
    },
    {
      name: 'it is stopped by another policy',
      options: { attempt: attacker(denialBy({ isolatedBy: undefined, policy: 'AuthorizationPolicy/shop/other' })) },
      says: /expected AuthorizationPolicy\/shop\/web-api-rbac to decide, observed AuthorizationPolicy\/shop\/other/,
    },
    {
      name: 'it is enforced from another line than the engine says',
      options: {
        attempt: attacker(
          denialBy({ isolatedBy: sample.denial.isolatedBy?.map((by) => ({ ...by, at: `${by.at}9` })) }),
        ),
      },
      says: /predicted authz.no-rule-allows \(.*w.yaml:14\), enforced authz.no-rule-allows \(.*w.yaml:149\)/,
    },
    {
      name: 'nothing on the target says what stopped it',
      options: { attempt: attacker({ observation: sample.reset, flows: [] }) },
      says: /no flow record/,
    },
    {
      name: 'the wall is off, and the attacker is answered something else',
      options: { on: [], attempt: attacker(sample.through(sample.served('Goodbye', 500))) },
      says: /expected status 200, observed 500/,
    },
    {
      name: 'the wall is off, and it is stopped all the same',
      options: { on: [], attempt: attacker(sample.stopped) },
      says: /expected through, observed stopped \(reset\) by authz.no-rule-allows/,
    },
    {
      name: 'it gets through a wall that is always on',
      options: { on: [] },
      scenario: { ...sample.attack, expect: { walls: [], through: 'never' } },
      says: /a wall that is always on/,
    },
  ]
  for (const { name, options, scenario = sample.attack, says } of cases) {
    it(name, async () => {
      const result = await runOne(scenario, options)
      assert.equal(result.status, 'different')
      assert.match(result.differences.join('\n'), says)
    })
  }

  it('asks a cluster for no flow records', async () => {
    const evidence = { observation: sample.reset, flows: [] }
    const result = await runOne(sample.attack, { name: 'kind', attempt: attacker(evidence) })
    assert.equal(result.status, 'as-expected')
  })
})

describe('a run', () => {
  it('keeps the order of the scenarios, and runs no more at once than it may', async () => {
    let open = 0
    let most = 0
    const target = fakeTarget({
      attempt: async (from) => {
        most = Math.max(most, ++open)
        await new Promise((resolve) => setImmediate(resolve))
        open--
        return from === 'shop/sleep' ? sample.through() : sample.stopped
      },
    })
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const scenarios = ids.map((id) => ({ ...sample.attack, id }))
    const seen: string[] = []
    const report = await runScenarios(target, scenarios, {
      root,
      parallel: 3,
      onResult: ({ scenario }) => seen.push(scenario.id),
    })
    assert.deepEqual(
      report.results.map(({ scenario }) => scenario.id),
      ids,
    )
    assert.deepEqual([...seen].sort(), ids)
    assert.equal(most, 3)
  })

  it('starts nothing more once it is aborted, and says why', async () => {
    const stop = new AbortController()
    const target = fakeTarget({
      attempt: async (from) => {
        if (from === 'shop/sleep') return sample.through()
        stop.abort(new Error('Ctrl-C'))
        return sample.stopped
      },
    })
    const scenarios = ['a', 'b', 'c'].map((id) => ({ ...sample.attack, id }))
    await assert.rejects(runScenarios(target, scenarios, { root, parallel: 1, signal: stop.signal }), /Ctrl-C/)
    assert.equal(target.calls.filter((call) => call === 'attempt shop/notsleep').length, 1)
  })
})
