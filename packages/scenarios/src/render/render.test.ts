import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder, wholeSuite } from '@bulkhead/testing'
import type { Report } from '../result.js'
import { runScenarios } from '../runner.js'
import { type FakeOptions, fakeTarget } from '../testing/fake-target.js'
import * as sample from '../testing/samples.js'
import type { Scenario } from '../types.js'
import { attackPassed, attacksOf, renderAttack } from './attack.js'
import { renderJson } from './json.js'
import { renderVerify, verifyPassed } from './verify.js'

/** Goldens are rewritten with BULKHEAD_UPDATE=1, and the change is reviewed. */
function golden(name: string, text: string): void {
  const file = join(import.meta.dirname, '../../fixtures', name)
  if (process.env.BULKHEAD_UPDATE === '1') writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'), `${name}; BULKHEAD_UPDATE=1 rewrites it`)
}

const { attack, legitimate, denial } = sample
const tlsWall = { layer: 'mesh', symptom: 'tls-refused', code: 'hbone.untrusted-certificate' } as const
const tlsStep = { hop: 0, point: 'ztunnel', engine: 'istio', outcome: 'deny', code: tlsWall.code } as const
const forged: Scenario = {
  ...attack,
  id: 'forged',
  title: 'an outsider signs a certificate for sleep itself',
  from: 'shop/outsider',
  attempt: {
    kind: 'hbone',
    to: { workload: 'shop/web-api' },
    port: 8080,
    certificate: 'self-signed',
    as: 'shop/sleep',
  },
  expect: { walls: [tlsWall], through: 'never' },
}
const scenarios: readonly Scenario[] = [
  attack,
  { ...attack, id: 'intruder-to-web-api', title: 'an intruder calls the front of the chain', from: 'shop/intruder' },
  forged,
  { ...attack, id: 'on-a-cluster', only: 'kind' },
  legitimate,
]

/** The report of a run, with the durations that a test can know. */
async function reportOf(list: readonly Scenario[], options: FakeOptions = {}): Promise<Report> {
  const target = fakeTarget({
    predict: async ({ certificate, from }) => {
      if (certificate !== undefined) return { ...sample.denied, symptom: 'tls-refused', steps: [tlsStep] }
      const open = !(options.on ?? ['50-identity']).includes('50-identity')
      return open || ('workload' in from && from.workload === 'shop/sleep') ? sample.allowed : sample.denied
    },
    attempt: async (from, { certificate }) => {
      if (certificate !== undefined) {
        const flows = [sample.record({ steps: [tlsStep], symptom: 'tls-refused', flag: 'TLS_FAILURE' })]
        return { observation: { ...sample.reset, symptom: 'tls-refused' }, flows }
      }
      const open = !(options.on ?? ['50-identity']).includes('50-identity')
      return open || from === 'shop/sleep' ? sample.through() : sample.stopped
    },
    ...options,
  })
  const report = await runScenarios(target, list, { root: '/nowhere' })
  return { ...report, durationMs: 1234, results: report.results.map((result) => ({ ...result, durationMs: 5 })) }
}

describe('the reports of a run in which all walls hold', async () => {
  const report = await reportOf(scenarios)
  it('tell each attack by what blocked it', () => golden('attack.txt', renderAttack(report)))
  it('tell what is expected, predicted and observed', () => golden('verify.txt', renderVerify(report)))
  it('tell more of an attack that was made alone', async () => {
    const technique = { attack: 'T1210', microsoft: 'MS-TA9034' }
    golden('attack-one.txt', renderAttack(await reportOf([{ ...attack, technique, lab: '01-who-may-call' }])))
  })
  it('are the same for programs', () => golden('report.json', renderJson(report)))
  it('pass', () => assert.deepEqual([attackPassed(report), verifyPassed(report)], [true, true]))
  it('leave out what changes from run to run when they are to be stable', () => {
    assert.doesNotMatch(renderJson(report, { stable: true }), /durationMs|timings/)
  })
  it('have no colour unless it is asked for', () => {
    const esc = String.fromCharCode(27)
    for (const render of [renderAttack, renderVerify]) {
      assert.ok(!render(report).includes(esc))
      assert.ok(render(report, { color: true }).includes(`${esc}[`))
      const stripped = render(report, { color: true }).replaceAll(new RegExp(`${esc}\\[\\d+m`, 'g'), '')
      assert.equal(stripped, render(report))
    }
  })
})

describe('the reports of a run in which some were skipped', async () => {
  const front = { ...attack, id: 'front', title: 'the front door', needs: ['40-mtls'] }
  const on = ['50-identity']
  const report = await reportOf([attack, front], { on })
  const all = await reportOf([front], { on })
  const green = `${String.fromCharCode(27)}[32m`
  const last = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''

  it('say which, and why', () => {
    assert.match(
      renderAttack(report),
      /^SKIPPED {3}it needs 40-mtls, which is off; nothing is known of these\n {6}shop\/notsleep → .*the front door$/m,
    )
    assert.match(renderVerify(report), /^skipped +front .*\n +it needs 40-mtls, which is off$/m)
  })
  it('pass, but do not look as if all had held', () => {
    assert.deepEqual([attackPassed(report), verifyPassed(report)], [true, true])
    assert.equal(last(renderAttack(report, { color: true })), '2 attacks: 1 blocked, 0 through, 1 skipped (1.2 s)')
    assert.equal(last(renderVerify(report, { color: true })), '2 scenarios: 1 agree, 1 skipped (1.2 s)')
  })
  it('fail where nothing was tried at all', () => {
    assert.deepEqual([attackPassed(all), verifyPassed(all)], [false, false])
  })
  it('are green where none was', async () => {
    const none = await reportOf([attack])
    for (const render of [renderAttack, renderVerify]) assert.ok(last(render(none, { color: true })).startsWith(green))
  })
})

describe('the reports of a run with a layer off', async () => {
  const report = await reportOf(scenarios, { on: ['40-mtls'] })
  it('tell what got through, and which wall is missing', () => golden('attack-through.txt', renderAttack(report)))
  it('are failed attacks, and as expected all the same', () => {
    assert.deepEqual([attackPassed(report), verifyPassed(report)], [false, true])
  })
})

describe('the reports of a run in which something is wrong', async () => {
  const otherReason = { ...denial, code: 'mtls.strict-no-identity', layer: '40-mtls' } as const
  const report = await reportOf(scenarios, {
    attempt: async (from) => {
      if (from === 'shop/intruder') {
        return { observation: sample.reset, flows: [sample.record({ steps: [otherReason] })] }
      }
      if (from === 'shop/outsider') throw new Error('the probe in shop/outsider ended without saying what it saw')
      return sample.through()
    },
  })
  it('tell an attack that got past a wall, for another reason, or unseen', () =>
    golden('attack-wrong.txt', renderAttack(report)))
  it('tell every difference', () => golden('verify-wrong.txt', renderVerify(report)))
  it('fail', () => assert.deepEqual([attackPassed(report), verifyPassed(report)], [false, false]))
  it('fail on an attack that was blocked for another reason alone', async () => {
    const one = { ...report, results: report.results.filter(({ scenario }) => scenario.from === 'shop/intruder') }
    assert.equal(one.results[0]?.observed?.outcome, 'stopped')
    assert.equal(attackPassed(one), false)
  })
})

describe('the reports of a run in which admission refuses', async () => {
  const root = temporaryFolder(wholeSuite())
  mkdirSync(join(root, 'k8s/attacks'), { recursive: true })
  writeFileSync(join(root, 'k8s/attacks/hacker-root.yaml'), 'kind: Pod')
  const { refusedPod, refusal, noRoot, refusedError } = sample
  const { layer: _, ...unlayered } = noRoot
  const psa = {
    ...unlayered,
    engine: 'psa',
    policy: 'Namespace/shop',
    at: 'k8s/workloads/shop/namespace.yaml:9',
  } as const
  const [wall] = refusedPod.expect.walls
  assert.ok(wall)
  const pod: Scenario = {
    ...refusedPod,
    id: 'shop-pod',
    title: 'the same where Pod Security is enforced',
    from: 'shop/hacker-root',
    expect: {
      walls: [{ ...wall, layer: 'pod-security', policy: 'Namespace/shop', message: 'violates PodSecurity' }],
      through: 'never',
    },
  }
  const list = [refusedPod, { ...refusedPod, id: 'hacker-deployment', title: 'the same by a Deployment' }, pod]
  const layers = ['10-admission', '50-identity']
  const options: FakeOptions = { layers, on: layers }
  const message = 'pods "hacker-root" is forbidden: violates PodSecurity "restricted:latest": runAsUser=0 (...)'
  const [, refused] = refusal(psa)
  const byPodSecurity = [{ ...refused, refusal: { status: 403, reason: 'Forbidden', message } }]
  const admissions = (name: string) => (name.startsWith('shop-pod') ? byPodSecurity : refusal(noRoot))
  let asked = 0
  const target = fakeTarget({
    ...options,
    admit: async () => admissions(list[Math.floor(asked++ / 2)]?.id ?? ''),
    apply: async (name) => {
      throw refusedError(admissions(name))
    },
  })
  const report = await runScenarios(target, list, { root, parallel: 1 })
  const timeless: Report = {
    ...report,
    durationMs: 1234,
    results: report.results.map((result) => ({ ...result, durationMs: 5 })),
  }
  it('tell by which policy, and what the API server answered', () => {
    golden('attack-admission.txt', renderAttack(timeless))
    golden('verify-admission.txt', renderVerify(timeless))
    golden('report-admission.json', renderJson(timeless))
  })
  it('pass', () => assert.deepEqual([attackPassed(report), verifyPassed(report)], [true, true]))
})

it('what remains stands together by who is owned, and what is left to the outside comes last', async () => {
  const of = (id: string, from: string, remains: string): Scenario => ({ ...legitimate, id, from, remains })
  const report = await reportOf(
    [
      of('a', 'outside', 'a page'),
      of('b', 'shop/sleep', 'one call'),
      of('c', 'demo/hello-app', 'the database'),
      of('d', 'shop/sleep', 'another'),
    ],
    { predict: async () => sample.allowed, attempt: async () => sample.through() },
  )
  const [, ...lines] = renderAttack(report).split('STILL OPEN')[1]?.split('\n\n')[0]?.split('\n') ?? []
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/ → .*? {2,}/, ': ')),
    ['demo/hello-app: the database', 'shop/sleep: one call', 'shop/sleep: another', 'the outside: a page'],
  )
})

it('the words of what remains stand below each other, whoever is owned', async () => {
  const of = (from: string): Scenario => ({ ...legitimate, id: from, from, remains: 'WORDS' })
  const report = await reportOf([of('outside'), of('shop/sleep'), of('shop/recommendation')], {
    predict: async () => sample.allowed,
    attempt: async () => sample.through(),
  })
  const columnsOfWords = renderAttack(report)
    .split('\n')
    .flatMap((line) => (line.includes('WORDS') ? [line.indexOf('WORDS')] : []))
  assert.equal(columnsOfWords.length, 3)
  assert.equal(new Set(columnsOfWords).size, 1)
})

it('a legitimate call that does not work is said, and only then', async () => {
  const broken = await reportOf([legitimate], { attempt: async () => sample.stopped })
  assert.match(renderAttack(broken), /^DID NOT WORK {3}.*\n {6}shop\/sleep → shop\/web-api:8080 {2}the caller saw /m)
  const served = await reportOf([legitimate])
  assert.doesNotMatch(renderAttack(served), /DID NOT WORK/)
  assert.match(renderAttack(served), /^STILL OPEN /m)
})

it('what attack runs is the attacks, and what remains open to them', () => {
  const { remains: _, ...plain } = legitimate
  assert.deepEqual(
    attacksOf([attack, legitimate, { ...plain, id: 'plain' }]).map(({ id }) => id),
    [attack.id, legitimate.id],
  )
})
