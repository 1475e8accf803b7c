import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowRecord } from '@bulkhead/verdict'
import { readCall } from './call.js'
import { checkLab } from './progress.js'
import { FakeTarget } from './testing/fake-target.js'
import type { Call, Lab, StepCheck } from './types.js'

const started = '2026-01-31T10:00:00.000Z'
const call = (text: string): Call => {
  const read = readCall(text)
  assert.ok(typeof read !== 'string', String(read))
  return read
}
const checkOf = (inForce: readonly string[], tried: readonly string[], now: readonly string[]): StepCheck => ({
  inForce,
  refused: [],
  tried: tried.map(call),
  now: now.map(call),
})
const labOf = (...checks: readonly (StepCheck | undefined)[]): Lab => ({
  id: '01',
  name: '01-doors',
  file: '',
  language: 'en',
  title: '',
  minutes: 1,
  needs: [],
  start: { layersOff: [], without: [] },
  steps: checks.map((check, index) => ({
    heading: String(index),
    prose: '',
    commands: [],
    line: 1,
    ...(check !== undefined && { check }),
  })),
})
const record = (symptom: FlowRecord['symptom'], more: Partial<FlowRecord> = {}): FlowRecord => ({
  id: 1,
  generation: 1,
  start: '2026-01-31T10:00:01.000Z',
  durationMs: 1,
  source: { workload: 'shop/sleep', ip: '10.0.0.1' },
  destination: { service: 'shop/web-api', port: 8080 },
  protocol: 'TCP',
  transport: 'hbone',
  outcome: symptom === 'ok' ? 'allow' : 'deny',
  steps: [{ hop: 0, point: 'ztunnel', engine: 'istio', outcome: 'deny', code: 'authz.no-rule-allows' }],
  ...(symptom === 'ok' ? {} : { decidedBy: 0 }),
  symptom,
  flag: '-',
  bytesSent: 0,
  bytesReceived: 0,
  run: 'exec-1',
  ...more,
})

const ok = 'shop/sleep -> shop/web-api:8080 sees ok 200'
const denied = 'shop/sleep -> shop/web-api:8080 sees reset by authz.no-rule-allows'
const lab = labOf(
  undefined,
  checkOf([], [ok], [ok]),
  checkOf(
    ['X/shop/close'],
    ['shop/sleep -> shop/web-api:8080 sees reset'],
    ['shop/sleep -> shop/web-api:8080 sees reset'],
  ),
  checkOf(['X/shop/open'], [], [ok]),
)
const shown = async (target: FakeTarget, of = lab) =>
  (await checkLab(target, of, { started })).map(({ step, status, missing }) =>
    [step.heading, status, ...missing.map(({ kind }) => kind)].join(' '),
  )

test('a step is done when its objects are in force, it was tried, and calls come out as they should', async () => {
  const target = new FakeTarget([])
  assert.deepEqual(await shown(target), ['1 not-yet never-tried', '2 not-yet not-in-force', '3 not-yet not-in-force'])
  target.records = [record('ok')]
  assert.deepEqual(await shown(target), ['1 done', '2 not-yet not-in-force', '3 not-yet not-in-force'])
  target.objects.add('X/shop/close')
  target.judged = { 'shop/sleep -> shop/web-api': 'reset' }
  target.seen = { ...target.judged }
  assert.deepEqual(await shown(target), ['1 done', '2 not-yet never-tried', '3 not-yet not-in-force'])
  target.records.push(record('reset'))
  assert.deepEqual(await shown(target), ['1 done', '2 done', '3 not-yet not-in-force'])
  target.objects.add('X/shop/open')
  target.judged = {}
  target.seen = {}
  assert.deepEqual(await shown(target), ['1 done', '2 done', '3 done'])
})

test('what the engine says and what really comes of a call are both asked', async () => {
  const target = new FakeTarget([])
  target.records = [record('ok')]
  target.judged = { 'shop/sleep -> shop/web-api': 'reset' }
  assert.equal((await shown(target))[0], '1 not-yet judged')
  assert.equal(target.attempts, 0)
  target.judged = {}
  target.seen = { 'shop/sleep -> shop/web-api': 'timeout' }
  assert.equal((await shown(target))[0], '1 not-yet seen')
  target.seen = {}
  const other = labOf(checkOf([], [], ['shop/sleep -> shop/web-api:8080 sees ok 500']))
  assert.deepEqual(await shown(target, other), ['0 not-yet seen'])
  assert.deepEqual(await shown(target, labOf(checkOf([], [], [denied]))), ['0 not-yet judged'])
})

test('a state that is over is not asked any more; what was not tried in it is passed', async () => {
  const target = new FakeTarget([])
  target.objects = new Set(['X/shop/close', 'X/shop/open'])
  assert.deepEqual(await shown(target), ['1 passed never-tried', '2 passed never-tried', '3 done'])
  target.objects.delete('X/shop/close')
  assert.deepEqual(await shown(target), ['1 not-yet never-tried', '2 not-yet not-in-force', '3 not-yet'])
})

test('only calls made since the start, by somebody and not by a check, count as tried', async () => {
  const only = labOf(checkOf([], [denied], []))
  const reset = record('reset')
  for (const [one, status] of [
    [reset, '0 done'],
    [record('reset', { start: '2026-01-31T09:59:59.999Z' }), '0 not-yet never-tried'],
    [record('reset', { run: 'attempt-3' }), '0 not-yet never-tried'],
    [record('ok'), '0 not-yet never-tried'],
    [
      record('reset', { steps: [{ ...(reset.steps[0] ?? assert.fail()), code: 'authz.rule-denies' }] }),
      '0 not-yet never-tried',
    ],
    [record('reset', { source: { workload: 'shop/other', ip: '10.0.0.2' } }), '0 not-yet never-tried'],
    [record('reset', { destination: { service: 'shop/other', port: 8080 } }), '0 not-yet never-tried'],
    [record('reset', { destination: { service: 'shop/web-api', port: 8081 } }), '0 not-yet never-tried'],
  ] as const) {
    const target = new FakeTarget([])
    target.records = [one]
    assert.deepEqual(await shown(target, only), [status])
  }
})

test('what was refused counts by its object and by who refused it, since the start', async () => {
  const refused = { id: 'Pod/shop/x', policy: 'ValidatingPolicy/no' }
  const only = labOf({ ...checkOf([], [], []), refused: [refused] })
  const time = '2026-01-31T10:00:01.000Z'
  for (const [policies, id, at, status] of [
    [['ValidatingPolicy/other', 'ValidatingPolicy/no'], 'Pod/shop/x', time, '0 done'],
    [['ValidatingPolicy/other'], 'Pod/shop/x', time, '0 not-yet never-refused'],
    [['ValidatingPolicy/no'], 'Pod/shop/y', time, '0 not-yet never-refused'],
    [['ValidatingPolicy/no'], 'Pod/shop/x', '2026-01-31T09:59:59.999Z', '0 not-yet never-refused'],
  ] as const) {
    const target = new FakeTarget([])
    target.refusals = [{ time: at, id, policies }]
    assert.deepEqual(await shown(target, only), [status])
  }
})

test('a request that is written is that one and no other, and a pod is not its Service', async () => {
  const service = labOf(checkOf([], ['shop/sleep -> shop/web-api:8080 DELETE /a sees rbac-403 403'], []))
  const pod = labOf(checkOf([], ['shop/sleep -> pod shop/web-api:8080 sees reset'], []))
  const asked = (method: string, path: string) => ({ http: { method, path, host: 'web-api', status: 403 } })
  const toPod = { workload: 'shop/web-api', port: 8080 }
  for (const [of, one, status] of [
    [service, record('rbac-403', asked('DELETE', '/a')), '0 done'],
    [service, record('rbac-403', asked('GET', '/a')), '0 not-yet never-tried'],
    [service, record('rbac-403', asked('DELETE', '/b')), '0 not-yet never-tried'],
    // Where no request is read there is a connection, and that is all that a record tells.
    [service, record('rbac-403'), '0 done'],
    [pod, record('reset', { destination: toPod }), '0 done'],
    [pod, record('reset', { destination: { ...toPod, service: 'shop/web-api' } }), '0 not-yet never-tried'],
    [pod, record('reset', { destination: { ...toPod, port: 1 } }), '0 not-yet never-tried'],
  ] as const) {
    const target = new FakeTarget([])
    target.records = [one]
    assert.deepEqual(await shown(target, of), [status])
  }
})

test('what leads out of the cluster is told by its name or address, and by the server name that was read', async () => {
  const address = labOf(checkOf([], ['shop/sleep -> https://203.0.113.66/ sni a.example sees late-reset'], []))
  const lying = labOf(checkOf([], ['shop/sleep -> https://b.example/ sni a.example sees ok'], []))
  for (const [of, destination, more, status] of [
    [address, { ip: '203.0.113.66', port: 443 }, {}, '0 done'],
    [address, { ip: '203.0.113.67', port: 443 }, {}, '0 not-yet never-tried'],
    [address, { ip: '203.0.113.66', port: 80 }, {}, '0 not-yet never-tried'],
    [lying, { host: 'b.example', port: 443 }, { sni: 'a.example' }, '0 done'],
    [lying, { host: 'b.example', port: 443 }, { sni: 'b.example' }, '0 not-yet never-tried'],
    [lying, { host: 'a.example', port: 443 }, { sni: 'a.example' }, '0 not-yet never-tried'],
  ] as const) {
    const target = new FakeTarget([])
    target.records = [record(of === address ? 'late-reset' : 'ok', { destination, ...more })]
    assert.deepEqual(await shown(target, of), [status])
  }
})
