import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { readPins } from '../pins.js'
import { type Place, placeOf } from '../place.js'
import { writeRecord } from '../record.js'
import {
  type Answers,
  goodAnswers,
  goodMachine,
  inspected,
  type Matcher,
  type RecordingTools,
  recordingTools,
} from '../testing/index.js'
import { type ExamineOptions, examine } from './examine.js'
import { readKindConfig } from './kind-config.js'
import type { Finding } from './types.js'

const root = resolve(import.meta.dirname, '../../../..')
const uid = '0e7b3a52-8c0e-4c39-9d9b-1f5c6a1de111'

/** A place where a cluster was made, as `cluster up` leaves it; without a record nobody has made one. */
function placeFor(t: TestContext, recorded = true): Place {
  const state = temporaryFolder(t)
  const place = placeOf(root, state)
  if (!recorded) return place
  writeRecord(place, { uid, begun: '2026-11-22T03:00:00.000Z', networkWasThere: false, steps: {}, untold: [] })
  writeFileSync(place.kubeconfig, '')
  return place
}

const there = ['kind get clusters', { stdout: 'bulkhead\nother\n' }] as const
const answers = (id: string): readonly (readonly [Matcher, Answers])[] => [
  there,
  ['kubectl config view', { stdout: 'https://127.0.0.1:36291' }],
  ['kubectl get namespace kube-system', { stdout: id }],
]
const canary = (last: string): readonly (readonly [Matcher, Answers])[] => [
  ['kubectl exec', [{ stdout: '{"symptom":"ok"}' }, { stdout: `{"symptom":"${last}"}` }]],
  [/^kubectl (apply|wait|delete) /, {}],
]

async function found(
  place: Place,
  rows: readonly (readonly [Matcher, Answers])[],
  options: ExamineOptions = {},
  machine = goodMachine(),
): Promise<{ readonly of: (id: string) => Finding | undefined; readonly tools: RecordingTools }> {
  const tools = recordingTools(goodAnswers(rows))
  const ground = { pins: readPins(root), config: readKindConfig(root), place, machine }
  const all = await examine(tools, ground, options)
  return { tools, of: (id) => all.find((one) => one.id === id) }
}

describe('the disk of a cluster that is up', () => {
  it('needs little more, and much again where it is not', async (t) => {
    const place = placeFor(t)
    const free = (gib: number) => goodMachine({ freeBytes: async () => gib * 1024 ** 3 })
    const up = ['docker ps', { stdout: 'bulkhead-control-plane\t\nbulkhead-worker\t\n' }] as const
    const disk = async (gib: number, rows: Parameters<typeof found>[1] = [up]) =>
      (await found(place, [...rows, ...answers(uid)], { canary: false }, free(gib))).of('disk')
    // Its images are unpacked when its pods are ready, and not before.
    assert.equal((await disk(8))?.status, 'fail')
    const done = { at: '2026-11-22T03:30:00.000Z', fingerprint: '' }
    writeRecord(place, { uid, begun: done.at, networkWasThere: false, steps: { ready: done }, untold: [] })
    assert.equal((await disk(8))?.status, 'ok')
    const little = await disk(4)
    assert.equal(little?.status, 'warn')
    assert.match(little?.why ?? '', /is up, and all images are unpacked/)
    assert.equal((await disk(1))?.status, 'fail')
    // The record is still there, and its nodes are gone.
    assert.equal((await disk(8, []))?.status, 'fail')
  })
})

describe('the name of the host outside of the cluster', () => {
  const asked = 'docker container inspect bulkhead-outside'
  it('is free, or ours', async (t) => {
    const { of } = await found(placeFor(t, false), [])
    assert.deepEqual([of('outside')?.status, of('outside')?.found], ['ok', 'free'])
    const ours = await found(placeFor(t, false), [[asked, { stdout: inspected() }]])
    assert.match(ours.of('outside')?.found ?? '', /^held by ours, which runs$/)
  })

  it("is not to be somebody else's", async (t) => {
    const { of, tools } = await found(placeFor(t, false), [[asked, { stdout: inspected({ label: '' }) }]])
    assert.equal(of('outside')?.status, 'fail')
    assert.match(of('outside')?.remedy?.join() ?? '', /docker rename bulkhead-outside/)
    assert.ok(!tools.lines().some((line) => line.startsWith('docker container rm')))
  })
})

describe('a cluster that is there already', () => {
  it('is in the way when it was not made here, and nothing is done to it', async (t) => {
    const { of, tools } = await found(placeFor(t, false), [there])
    assert.deepEqual([of('cluster')?.status, of('canary')], ['fail', undefined])
    assert.match(of('cluster')?.found ?? '', /named bulkhead, and it was not made here/)
    assert.deepEqual(
      tools.lines().filter((line) => /^kubectl (?!version)|^kind (?!version|get clusters)/.test(line)),
      [],
    )
  })

  it("may have been begun and not finished, or typed by hand: that is told, and stands in nobody's way", async (t) => {
    const begun = placeFor(t, false)
    writeRecord(begun, { begun: '2026-11-22T03:00:00.000Z', networkWasThere: false, steps: {}, untold: [] })
    const half = await found(begun, [there])
    assert.deepEqual(
      [half.of('cluster')?.status, half.of('cluster')?.found],
      ['warn', 'one was begun here, and not finished'],
    )
    const typed = placeFor(t)
    rmSync(typed.record)
    const byHand = await found(typed, [there])
    assert.deepEqual([byHand.of('cluster')?.status, byHand.of('canary')], ['warn', undefined])
  })

  it('is ours when it is the one that was made here, and then the canary is sent in', async (t) => {
    const place = placeFor(t)
    const { of, tools } = await found(place, [...answers(uid), ...canary('timeout')])
    assert.equal(of('cluster')?.found, 'ours, and it answers')
    assert.deepEqual(
      [of('canary')?.status, of('canary')?.found],
      ['ok', 'a call was served, and timed out once a NetworkPolicy denied it'],
    )
    const asked = tools.asked.filter(({ args }) => args[0] !== 'version')
    assert.deepEqual(recordedAstray(asked, tools, place), [])
    const without = await found(place, answers(uid), { canary: false })
    assert.equal(without.of('canary'), undefined)
  })

  it('is another one when its UID is another, and no canary is sent into it', async (t) => {
    const { of, tools } = await found(placeFor(t), answers('somebody-elses'))
    assert.deepEqual([of('cluster')?.status, of('canary')?.status], ['fail', 'skipped'])
    assert.ok(!tools.lines().some((line) => /^kubectl (apply|delete)/.test(line)))
  })

  it('may not answer, or enforce nothing', async (t) => {
    const place = placeFor(t)
    const mute = await found(place, [
      [
        'kubectl get namespace',
        {
          code: 1,
          stderr: 'The connection to the server 127.0.0.1:36291 was refused - did you specify the right host or port?',
        },
      ],
      ...answers(uid),
    ])
    assert.deepEqual([mute.of('cluster')?.status, mute.of('canary')?.status], ['fail', 'skipped'])
    const broken = await found(place, [
      [
        'kubectl apply --kustomize',
        {
          code: 1,
          stderr:
            'Error from server (InternalError): Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": context deadline exceeded',
        },
      ],
      ...answers(uid),
      ...canary('ok'),
    ])
    assert.equal(broken.of('canary')?.status, 'fail')
    assert.match(broken.of('canary')?.remedy?.join(' ') ?? '', /get pods --namespace kyverno/)
  })

  it('cannot be told when kind does not say', async (t) => {
    const { of } = await found(placeFor(t), [
      ['kind get clusters', { code: 1, stderr: 'ERROR: failed to list clusters' }],
    ])
    assert.match(of('cluster')?.found ?? '', /cannot be asked: ERROR: failed to list clusters/)
  })
})

/** Of those that ask a cluster, the ones that do not say which. */
function recordedAstray(asked: RecordingTools['asked'], tools: RecordingTools, place: Place): readonly string[] {
  const lines = new Set(asked.map(({ tool, args }) => `${tool} ${args[0]}`))
  assert.ok(lines.size > 0)
  return tools.astray(place.kubeconfig).filter((line) => !/^(kubectl|helm|cilium|istioctl) version/.test(line))
}

describe('the registries', () => {
  const rows = [
    ['docker buildx imagetools inspect', { stdout: 'Name: ...' }],
    ['helm show chart', { stdout: 'name: ...' }],
  ] as const

  it('are asked only when that is wanted, each for what is pinned', async (t) => {
    const place = placeFor(t, false)
    const quiet = await found(place, rows)
    assert.ok(!quiet.tools.lines().some((line) => /imagetools|show chart/.test(line)))
    const { tools, of } = await found(place, rows, { registries: true })
    const asked = tools
      .lines()
      .filter((line) => /imagetools|show chart/.test(line))
      .toSorted()
    const { cilium, istio, kyverno, kind } = readPins(root)
    assert.deepEqual(asked, [
      `docker buildx imagetools inspect ${kind.node}`,
      `docker buildx imagetools inspect quay.io/cilium/cilium:v${cilium}`,
      `docker buildx imagetools inspect reg.kyverno.io/kyverno/kyverno:v${kyverno.version}`,
      `helm show chart cilium --repo https://helm.cilium.io --version ${cilium}`,
      `helm show chart istiod --repo https://blob.istio.io/istio-release/charts --version ${istio}`,
      `helm show chart kyverno --repo https://kyverno.github.io/kyverno --version ${kyverno.chart}`,
    ])
    assert.equal(of('registry-quay.io')?.status, 'ok')
  })

  it('have the cause told when they do not answer', async (t) => {
    const said =
      'ERROR: failed to do request: Head "https://quay.io/v2/cilium/cilium/manifests/v1.20.1": dial tcp: lookup quay.io: no such host\n'
    const { of } = await found(
      placeFor(t, false),
      [
        [/quay\.io/, { code: 1, stderr: said }],
        [/helm show chart istiod/, { code: 1, stderr: 'Error: 404\n' }],
        ...rows,
      ],
      { registries: true },
    )
    assert.match(of('registry-quay.io')?.found ?? '', /^A name could not be resolved/)
    assert.equal(of('registry-blob.istio.io')?.found, 'Error: 404')
  })
})
