import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder, wholeSuite } from '@bulkhead/testing'
import type { AdmissionStep } from '@bulkhead/verdict/admission'
import type { ScenarioResult } from './result.js'
import { runScenarios } from './runner.js'
import { type FakeOptions, fakeTarget } from './testing/fake-target.js'
import * as sample from './testing/samples.js'
import type { Admitted, Scenario } from './types.js'

const { refusedPod, refusal, noRoot, pod } = sample
const layers = ['10-admission', '50-identity']
const root = temporaryFolder(wholeSuite())
mkdirSync(join(root, 'k8s/attacks'), { recursive: true })
writeFileSync(join(root, 'k8s/attacks/hacker-root.yaml'), 'kind: Pod\n')
writeFileSync(join(root, 'let-in.yaml'), 'kind: Pod\n')
const podsText = `apiVersion: v1
kind: ServiceAccount
metadata: { name: a, namespace: sandbox }`
writeFileSync(join(root, 'pods.yaml'), podsText)

const noToken: AdmissionStep = { ...noRoot, policy: 'ValidatingPolicy/disallow-token', message: 'No token' }
const ran = sample.through({
  symptom: 'ok',
  phase: 'answer',
  timings: { end: 1 },
  bytes: 10,
  detail: { text: 'a program runs in the pod hacker-root' },
})

async function run(
  scenario: Scenario,
  options: FakeOptions = {},
): Promise<ScenarioResult & { readonly calls: readonly string[] }> {
  const target = fakeTarget({
    layers,
    on: layers,
    attempt: async (from) => (from === 'shop/sleep' ? sample.through() : ran),
    ...options,
  })
  const { results } = await runScenarios(target, [scenario], { root })
  const [result] = results
  assert.ok(result)
  assert.deepEqual([...target.standing], [])
  return { ...result, calls: target.calls }
}

const refuses =
  (...steps: readonly AdmissionStep[]): NonNullable<FakeOptions['admit']> =>
  async () =>
    refusal(...steps)
const letsIn = async (): Promise<readonly Admitted[]> => [pod]

describe('a change that admission refuses', () => {
  it('is what stops the attempt: nothing is started, and its control is served', async () => {
    const result = await run(refusedPod, { admit: refuses(noRoot) })
    assert.deepEqual(result.differences, [])
    assert.equal(result.status, 'as-expected')
    assert.deepEqual(result.calls, ['attempt shop/sleep', 'apply hacker-root.given', 'attempt shop/sleep'])
    assert.equal(result.observation, undefined)
    assert.match(result.observed?.message ?? '', /^admission webhook .*Running as root is forbidden$/)
    assert.deepEqual(result.observed, result.predicted)
  })

  it('is created where the layer is off, and then its program runs', async () => {
    const result = await run(refusedPod, { admit: letsIn, on: ['50-identity'] })
    assert.deepEqual(result.differences, [])
    assert.equal(result.observed?.outcome, 'through')
    assert.equal(result.predicted?.outcome, 'through')
  })

  const wrong: readonly (readonly [what: string, options: FakeOptions, says: RegExp])[] = [
    ['is let in', { admit: letsIn }, /^expected stopped, predicted through \(ok\)\|expected stopped, observed through/],
    [
      'is refused by another policy',
      { admit: refuses(noToken) },
      /expected ValidatingPolicy\/disallow-root-user to decide, predicted ValidatingPolicy\/disallow-token/,
    ],
    [
      'is refused by another policy too',
      { admit: refuses(noRoot, noToken) },
      /^predicted ValidatingPolicy\/disallow-token, which refuses it too\|observed ValidatingPolicy\/disallow-token/,
    ],
    [
      'is refused in other words',
      { admit: refuses({ ...noRoot, message: 'No' }) },
      /expected the API server's answer to contain "Running as root is forbidden", observed admission webhook/,
    ],
    [
      'is refused by no layer',
      { admit: refuses({ ...noRoot, engine: 'psa', policy: 'Namespace/sandbox' }) },
      /expected ValidatingPolicy\/disallow-root-user to decide, observed Namespace\/sandbox/,
    ],
    [
      'is not known',
      {
        admit: async () => [
          {
            ...pod,
            outcome: 'unknown',
            decidedBy: 0,
            steps: [{ ...noRoot, outcome: 'unknown', code: 'not-modelled' }],
          },
        ],
      },
      /expected stopped, observed unknown \(admission-refused\) by not-modelled/,
    ],
    [
      'is refused where the layer is off',
      { admit: refuses(noRoot), on: ['50-identity'] },
      /^expected through, predicted stopped \(admission-refused\) by admission.denied/,
    ],
  ]
  for (const [what, options, says] of wrong) {
    it(`is not as expected when it ${what}`, async () => {
      const result = await run(refusedPod, options)
      assert.equal(result.status, 'different')
      assert.match(result.differences.join('|'), says)
    })
  }

  it('is not as expected when it is refused, and was predicted to be let in', async () => {
    const apply = () => Promise.reject(sample.refusedError(refusal(noRoot)))
    const { differences } = await run(refusedPod, { admit: letsIn, apply })
    assert.deepEqual(differences, ['expected stopped, predicted through (ok)'])
  })

  it('is not as expected when it is let in, and was predicted to be refused', async () => {
    const { differences } = await run(refusedPod, { admit: refuses(noRoot), apply: async () => undefined })
    assert.deepEqual(differences, ['expected stopped, observed through (ok)'])
  })

  it('may be refused by several policies, where all of them are said', async () => {
    const [wall] = refusedPod.expect.walls
    assert.ok(wall)
    const walls = [wall, { ...wall, policy: 'ValidatingPolicy/disallow-token', message: 'No token' }]
    const result = await run(
      { ...refusedPod, expect: { ...refusedPod.expect, walls } },
      { admit: refuses(noRoot, noToken) },
    )
    assert.deepEqual(result.differences, [])
  })

  it('counts where the pods of a workload are refused that was let in itself', async () => {
    const [, refused] = refusal(noRoot)
    const admit = async (): Promise<readonly Admitted[]> => [
      { ...pod, object: { id: 'Deployment/sandbox/x' }, pod: refused },
    ]
    const result = await run(refusedPod, { admit })
    assert.deepEqual(result.differences, [])
    assert.equal(result.observed?.outcome, 'stopped')
  })

  it('is refused by Pod Security without a layer', async () => {
    const step: AdmissionStep = {
      engine: 'psa',
      does: 'validate',
      outcome: 'deny',
      code: 'admission.denied',
      policy: 'Namespace/shop',
    }
    const wall = {
      layer: 'pod-security',
      symptom: 'admission-refused',
      code: 'admission.denied',
      policy: 'Namespace/shop',
    } as const
    const scenario: Scenario = { ...refusedPod, expect: { walls: [wall], through: 'never' } }
    const result = await run(scenario, { admit: refuses(step), on: [] })
    assert.deepEqual(result.differences, [])
  })

  it('is refused by the gate that answers, and not by those behind it', async () => {
    const psa: AdmissionStep = {
      engine: 'psa',
      does: 'validate',
      outcome: 'deny',
      code: 'admission.denied',
      policy: 'Namespace/shop',
    }
    const [, refused] = refusal(psa, noRoot)
    const wall = {
      layer: 'pod-security',
      symptom: 'admission-refused',
      code: 'admission.denied',
      policy: 'Namespace/shop',
    } as const
    const scenario: Scenario = { ...refusedPod, expect: { walls: [wall], through: 'never' } }
    const { differences, observed } = await run(scenario, { admit: async () => [refused] })
    assert.deepEqual(differences, [])
    assert.deepEqual(observed?.reason?.policies, [{ policy: 'Namespace/shop' }])
  })

  it('proves nothing where it was to change an open connection', async () => {
    const held: Scenario = {
      ...sample.attack,
      attempt: { ...sample.attack.attempt, hold: true },
      change: { manifests: ['k8s/attacks/hacker-root.yaml'] },
    }
    const attempt: NonNullable<FakeOptions['attempt']> = async (from, _, how) => {
      if (from !== 'shop/sleep') await how?.held?.()
      return sample.through()
    }
    const { status, because } = await run(held, { admit: refuses(noRoot), attempt })
    assert.equal(status, 'not-observed')
    assert.match(because ?? '', /^what was to change while the connection is open was refused: admission webhook/)
  })

  it('that fails for another reason proves nothing', async () => {
    const result = await run(refusedPod, { admit: letsIn, apply: () => Promise.reject(new Error('not ready')) })
    assert.deepEqual([result.status, result.because], ['not-observed', 'not ready'])
  })
})

/** Resolves for all of them when the last one has come; rejects when it does not. */
function meeting(count: number): () => Promise<void> {
  let come = 0
  let meet = (): void => {}
  const met = new Promise<void>((resolve) => {
    meet = resolve
  })
  return async () => {
    if (++come === count) meet()
    let limit: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      limit = setTimeout(() => reject(new Error(`${come} of ${count} came`)), 10_000)
    })
    await Promise.race([met, late]).finally(() => clearTimeout(limit))
  }
}

/** Whoever else may come has come by then. */
async function aWhile(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

describe('changes that admission refuses', () => {
  it('are made beside each other, and those that it lets in alone', async () => {
    let asking = 0
    const together = meeting(3)
    const scenario = (id: string): Scenario => ({ ...refusedPod, id })
    const refused = ['a', 'b', 'c'].map(scenario)
    const letInOnes: readonly Scenario[] = ['x', 'y'].map((id) => ({
      ...scenario(id),
      given: { manifests: ['let-in.yaml'] },
      expect: { walls: [], through: { contains: 'hacker-root' } },
      kind: 'legitimate',
    }))
    const target = fakeTarget({
      layers,
      on: layers,
      admit: async ({ file }) => (file === 'let-in.yaml' ? [pod] : refusal(noRoot)),
      apply: async (name) => {
        asking++
        if (/^[xy]/.test(name)) await aWhile()
        else await together()
        if (/^[xy]/.test(name)) assert.equal(asking, 1, `${name} has the target to itself`)
        asking--
        if (/^[abc]/.test(name)) throw sample.refusedError(refusal(noRoot))
      },
      attempt: async (from) => (from === 'shop/sleep' ? sample.through() : ran),
    })
    const { results } = await runScenarios(target, [...letInOnes, ...refused], { root })
    assert.deepEqual(
      results.map(({ scenario: { id }, status }) => [id, status]),
      ['x', 'y', 'a', 'b', 'c'].map((id) => [id, 'as-expected']),
    )
  })

  it('are made beside each other where they only start pods, once nothing else is tried', async () => {
    let asking = 0
    const together = meeting(3)
    const run = (id: string): Scenario => ({
      ...refusedPod,
      id,
      given: { manifests: ['pods.yaml'] },
      expect: { walls: [], through: { contains: 'hacker-root' } },
    })
    const target = fakeTarget({
      on: ['50-identity'],
      apply: async (name) => {
        asking++
        if (name.startsWith('calls')) await aWhile()
        else await together()
        if (name.startsWith('calls')) assert.equal(asking, 1, `${name} has the target to itself`)
        asking--
      },
      attempt: async (from, { kind }) => {
        if (kind !== 'run') assert.equal(asking, 0, `${from} calls while no pod is being started`)
        return kind === 'run' ? ran : sample.through()
      },
    })
    const calls: Scenario = { ...sample.legitimate, id: 'calls', given: { manifests: ['pods.yaml'] } }
    const withControl = ['a', 'b', 'c']
      .map(run)
      .map(({ control: _, ...rest }): Scenario => ({ ...rest, kind: 'legitimate' }))
    const { results } = await runScenarios(target, [calls, ...withControl, sample.legitimate], { root })
    assert.deepEqual(new Set(results.map(({ status }) => status)), new Set(['as-expected']))
  })

  it('are refused alone where something is taken out with them', async () => {
    const given = { ...refusedPod.given, without: ['AuthorizationPolicy/shop/allow-nothing'] }
    const order: string[] = []
    const target = fakeTarget({
      layers,
      on: layers,
      admit: async () => refusal(noRoot),
      apply: async (name) => {
        order.push(name)
        throw sample.refusedError(refusal(noRoot))
      },
    })
    await runScenarios(
      target,
      [
        { ...refusedPod, given },
        { ...refusedPod, id: 'other' },
      ],
      { root },
    )
    assert.deepEqual(order, ['other.given', 'hacker-root.given'])
  })
})
