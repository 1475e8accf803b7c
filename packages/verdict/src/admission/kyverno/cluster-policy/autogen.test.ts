import assert from 'node:assert/strict'
import { test } from 'node:test'
import { familiesOf } from './autogen.js'
import { field } from './data.js'

/* Which rules are made of a rule about pods, and what they say. */

const pods = { any: [{ resources: { kinds: ['Pod'] } }] }
const pattern = { spec: { hostNetwork: false } }
const rule = { name: 'r', match: pods, validate: { pattern } }
const key = 'pod-policies.kyverno.io/autogen-controllers'
const names = (rules: readonly unknown[], annotations: Readonly<Record<string, string>> = {}) =>
  familiesOf(rules, annotations).flatMap(({ derived }) => derived.map(({ name }) => name))

test('one for workloads with a template, one for CronJobs, unless the annotation says otherwise', () => {
  assert.deepEqual(names([rule]), ['autogen-r', 'autogen-cronjob-r'])
  assert.deepEqual(names([rule], { [key]: 'none' }), [])
  assert.deepEqual(names([rule], { [key]: 'Deployment,StatefulSet' }), ['autogen-r'])
  assert.deepEqual(names([rule], { [key]: 'CronJob' }), ['autogen-cronjob-r'])
  const [family] = familiesOf([rule], { [key]: 'Deployment' })
  assert.deepEqual(field(family?.derived[0]?.body, 'match', 'any', 0, 'resources', 'kinds'), ['apps/v1/Deployment'])
})

const none: readonly (readonly [string, object])[] = [
  ['names objects', { ...rule, match: { any: [{ resources: { kinds: ['Pod'], names: ['x'] } }] } }],
  ['selects by labels', { ...rule, match: { any: [{ resources: { kinds: ['Pod'], selector: {} } }] } }],
  ['asks for annotations', { ...rule, match: { any: [{ resources: { kinds: ['Pod'], annotations: { a: 'b' } } }] } }],
  ['is about other kinds, too', { ...rule, match: { any: [{ resources: { kinds: ['Pod', 'Service'] } }] } }],
  ['is about none', { ...rule, match: { any: [{ resources: { kinds: ['Service'] } }] } }],
  ['generates', { name: 'r', match: pods, generate: {} }],
  ['patches by JSON Patch', { name: 'r', match: pods, mutate: { patchesJson6902: '- op: add' } }],
  ['excludes a name', { ...rule, exclude: { any: [{ resources: { kinds: ['Pod'], name: 'x' } }] } }],
  ['is a generated one itself', { ...rule, name: 'autogen-r' }],
]
for (const [what, one] of none)
  test(`none of a rule that ${what}`, () => {
    assert.deepEqual(names([one]), [])
  })

test('one such rule in a policy is enough for all', () => {
  assert.deepEqual(
    names([rule, { ...rule, name: 's', match: { any: [{ resources: { kinds: ['Pod'], names: ['x'] } }] } }]),
    [],
  )
})

test('a pattern moves into the template, and variables with it', () => {
  const deny = {
    conditions: {
      all: [{ key: '{{ request.object.spec.a }}{{request.oldObject.metadata.b}}', operator: 'Equals', value: 1 }],
    },
  }
  const [first, second] = familiesOf([rule, { ...rule, name: 's', validate: { deny } }], {})
  assert.deepEqual(
    first?.derived.map(({ body }) => field(body, 'validate', 'pattern')),
    [{ spec: { template: pattern } }, { spec: { jobTemplate: { spec: { template: pattern } } } }],
  )
  assert.deepEqual(
    second?.derived.map(({ body }) => field(body, 'validate', 'deny', 'conditions', 'all', 0, 'key')),
    [
      '{{ request.object.spec.template.spec.a }}{{request.oldObject.spec.template.metadata.b}}',
      '{{ request.object.spec.jobTemplate.spec.template.spec.a }}{{request.oldObject.spec.jobTemplate.spec.template.metadata.b}}',
    ],
  )
})

test('so do the alternatives of anyPattern and a patch, and a long name is cut', () => {
  const any = { ...rule, validate: { anyPattern: [pattern, pattern] } }
  const mutate = { name: 'x'.repeat(60), match: pods, mutate: { patchStrategicMerge: pattern } }
  const [first, second] = familiesOf([any, mutate], { [key]: 'Job' })
  assert.deepEqual(field(first?.derived[0]?.body, 'validate', 'anyPattern', 1), { spec: { template: pattern } })
  assert.deepEqual(field(second?.derived[0]?.body, 'mutate'), { patchStrategicMerge: { spec: { template: pattern } } })
  assert.equal(second?.derived[0]?.name, `autogen-${'x'.repeat(55)}`)
})
