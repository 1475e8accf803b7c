import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_INTENTS, MAX_LABELS } from './limits.js'
import { EMPTY_ROOT } from './merkle.js'
import { intentSchema, schedulerReportSchema } from './schemas.js'
import { anyIntent, intent } from './testing.js'

const manyLabels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`l${at}`, 'v']))

test('an intent as the manager sends it goes through unchanged; what is not known is left out', () => {
  fc.assert(fc.property(anyIntent, (one) => assert.deepEqual(intentSchema.parse(one), one)))
  const kubernetes = intent({ podLabels: { 'app.kubernetes.io/name': 'web', constructor: 'x', empty: '' } })
  assert.deepEqual(intentSchema.parse({ ...kubernetes, strategyID: 'x', state: 2 }), kubernetes)
  const { podLabels } = intentSchema.parse(
    JSON.parse(JSON.stringify(intent()).replace('{}', '{"__proto__":"x","a":""}')),
  )
  assert.deepEqual([Object.keys(podLabels), Object.getPrototypeOf(podLabels)], [['a'], Object.prototype])
  intentSchema.parse(intent({ podLabels: manyLabels(MAX_LABELS), commandRegex: 'x'.repeat(256) }))
})

const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['podName', { podName: '' }],
  ['podName', { podName: 'a|podID=b' }],
  ['podName', { podName: 'a'.repeat(254) }],
  ['podID', { podID: '../1' }],
  ['podID', { podID: 7 }],
  ['nodeID', { nodeID: 'Node' }],
  ['nodeID', { nodeID: '' }],
  ['k8sNamespace', { k8sNamespace: 'a.b' }],
  ['k8sNamespace', { k8sNamespace: 'default\n' }],
  ['commandRegex', { commandRegex: 'x'.repeat(257) }],
  ['commandRegex', { commandRegex: '\ud83d' }],
  ['commandRegex', { commandRegex: null }],
  ['priority', { priority: 21 }],
  ['priority', { priority: -1 }],
  ['priority', { priority: 1.5 }],
  ['priority', { priority: '1' }],
  ['executionTime', { executionTime: -1 }],
  ['executionTime', { executionTime: 999_999 }],
  ['executionTime', { executionTime: 1e9 + 1 }],
  ['executionTime', { executionTime: 2 ** 64 }],
  ['executionTime', { executionTime: Number.NaN }],
  ['podLabels', { podLabels: { 'a b': 'x' } }],
  ['podLabels', { podLabels: { 'UPPER/x': 'x' } }],
  ['podLabels', { podLabels: { '/x': 'x' } }],
  ['podLabels', { podLabels: { 'a/': 'x' } }],
  ['podLabels', { podLabels: { 'a/b/c': 'x' } }],
  ['podLabels', { podLabels: { a: 'x,b=y' } }],
  ['podLabels', { podLabels: { a: 7 } }],
  ['podLabels', { podLabels: manyLabels(MAX_LABELS + 1) }],
  ['podLabels', { podLabels: null }],
  ['podLabels', { podLabels: ['a'] }],
]
for (const [field, part] of wrong) {
  test(`contract scheduler D5, D8: ${JSON.stringify(part).slice(0, 60)} is refused, by the field's name`, () => {
    const { error } = intentSchema.safeParse({ ...intent(), ...part })
    assert.deepEqual([...new Set(error?.issues.map(({ path }) => path[0]))], [field])
  })
}

test('a report: who, since when, what is in force, and the last word of the scheduler beside it', () => {
  const report = {
    podName: 'gthulhu-scheduler-x',
    startedAt: '2026-01-02T03:04:05Z',
    setVersion: 0,
    rootHash: EMPTY_ROOT,
    intents: 0,
  }
  assert.deepEqual(schedulerReportSchema.parse(report), report)
  const metrics = { nr_queued: 3, usersched_last_run_at: 2 ** 64 - 4096 }
  assert.deepEqual(schedulerReportSchema.parse({ ...report, metrics }), { ...report, metrics })
  for (const part of [
    { podName: 'A' },
    { startedAt: 'yesterday' },
    { startedAt: '2026-01-02T03:04:05+02:00' },
    { setVersion: -1 },
    { rootHash: EMPTY_ROOT.toUpperCase() },
    { rootHash: '' },
    { intents: MAX_INTENTS + 1 },
    { metrics: { nr_queued: -1 } },
    { metrics: { nr_queued: 2 ** 65 } },
    { metrics: { nr_queued: 0.5 } },
    { metrics: { nr_queued: Number.POSITIVE_INFINITY } },
    { metrics: { other: 1 } },
    { metrics: null },
  ])
    assert.equal(schedulerReportSchema.safeParse({ ...report, ...part }).success, false, JSON.stringify(part))
})
