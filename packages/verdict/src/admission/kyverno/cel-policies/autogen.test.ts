import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, podPolicy } from '../../../testing/cel-policies.js'
import { autogen } from './autogen.js'

/*
 * Values of Kyverno's own tests (pkg/cel/autogen, pkg/cel/policies/vpol/autogen), and what follows from them.
 */

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
const spec = (constraints: object, more: object = {}): object => ({
  matchConstraints: { resourceRules: [rule], ...constraints },
  ...more,
})
const names = (of: object): readonly string[] => autogen(of).map(({ name }) => name)

test('for which policies it is done', () => {
  assert.deepEqual(names(spec({})), ['cronjobs', 'defaults'])
  for (const [why, constraints] of Object.entries({
    'labels of objects': { objectSelector: { matchLabels: { a: 'b' } } },
    'expressions of labels': { objectSelector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
    exclusions: { excludeResourceRules: [rule] },
    'two rules': { resourceRules: [rule, rule] },
    names: { resourceRules: [{ ...rule, resourceNames: ['x'] }] },
    'another kind too': { resourceRules: [{ ...rule, resources: ['pods', 'services'] }] },
    'debug containers': { resourceRules: [{ ...rule, resources: ['pods', 'pods/ephemeralcontainers'] }] },
    'every group': { resourceRules: [{ ...rule, apiGroups: ['*'] }] },
    'every version': { resourceRules: [{ ...rule, apiVersions: ['*'] }] },
  })) {
    assert.deepEqual(names(spec(constraints)), [], why)
  }
  assert.deepEqual(names(spec({ objectSelector: {}, namespaceSelector: { matchLabels: { a: 'b' } } })), [
    'cronjobs',
    'defaults',
  ])
})

test('for which controllers', () => {
  const controllers = (...wanted: string[]): object =>
    spec({}, { autogen: { podControllers: { controllers: wanted } } })
  assert.deepEqual(names(controllers('deployments')), ['defaults'])
  assert.deepEqual(names(controllers('cronjobs', 'jobs')), ['cronjobs', 'defaults'])
  assert.deepEqual(names(controllers()), [])
  assert.deepEqual(names(controllers('pods')), [])
  const [made] = autogen(controllers('jobs', 'deployments'))
  assert.deepEqual(made?.matchConstraints, {
    resourceRules: [
      { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'], operations: ['CREATE'] },
      { apiGroups: ['batch'], apiVersions: ['v1'], resources: ['jobs'], operations: ['CREATE'] },
    ],
  })
})

test('what is written instead', () => {
  const [cron, rest] = autogen(spec({}))
  const rows = [
    ['object.spec.containers', 'object.spec.template.spec.containers'],
    ['object.metadata.labels', 'object.spec.template.metadata.labels'],
    ['oldObject.spec == object.spec', 'oldObject.spec.template.spec == object.spec.template.spec'],
    ['object.metadata.namespace == "x"', 'object.metadata.namespace == "x"'],
    ['object.metadata.namespaceFoo', 'object.spec.template.metadata.namespaceFoo'],
    ['object.?spec.x', 'object.?spec.x'],
    ['namespaceObject.metadata.name', 'namespaceObject.metadata.name'],
    ['object.specification', 'object.spec.template.specification'],
    ['object.kind', 'object.kind'],
  ] as const
  for (const [from, to] of rows) assert.equal(rest?.rewrite(from), to, from)
  assert.equal(cron?.rewrite('object.spec.containers'), 'object.spec.jobTemplate.spec.template.spec.containers')
})

test('a controller is judged by its template, under the policy’s own name', () => {
  const policy = podPolicy(
    'no-root',
    '  variables: [{ name: all, expression: object.spec.containers }]\n  validations:\n    - expression: variables.all.all(c, c.?securityContext.?runAsUser.orValue(1) != 0)\n      message: object.spec says root',
  )
  const containers = '[{ name: c, image: x, securityContext: { runAsUser: 0 } }]'
  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: ns }\nspec:\n  selector: { matchLabels: { a: b } }\n  template:\n    metadata: { labels: { a: b } }\n    spec:\n      containers: ${containers}\n`
  const [step] = ask(policy, deployment)
  assert.deepEqual(
    [step?.outcome, step?.policy, step?.rule, step?.path, step?.objectAt, step?.message, step?.at],
    [
      'deny',
      'ValidatingPolicy/no-root',
      'autogen-defaults',
      '/spec/template/spec/containers/0/securityContext/runAsUser',
      'object.yaml:9:60',
      'object.spec.template.spec says root',
      'policy.yaml:10',
    ],
  )
  const cron = `apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: d, namespace: ns }\nspec:\n  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers: ${containers}\n`
  assert.deepEqual(
    ask(policy, cron).map(({ outcome, rule, path }) => [outcome, rule, path]),
    [['deny', 'autogen-cronjobs', '/spec/jobTemplate/spec/template/spec/containers/0/securityContext/runAsUser']],
  )
  const rollout = deployment.replace('apps/v1', 'argoproj.io/v1').replace('Deployment', 'Rollout')
  assert.equal(ask(policy, rollout)[0]?.outcome, 'not-applicable')
  assert.equal(ask(policy, deployment.replace('runAsUser: 0', 'runAsUser: 1'))[0]?.outcome, 'allow')
})

test('a text that is as long as may be before it grows is unknown of a controller, and judged of a pod', () => {
  const long = `object.spec.hostname != '${'x'.repeat(99_970)}'`
  const policy = podPolicy('long', `  validations: [{ expression: ${JSON.stringify(long)} }]`)
  const spec = '{ containers: [{ name: c, image: x }], hostname: h }'
  const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: ns }\nspec: ${spec}\n`
  assert.equal(ask(policy, pod)[0]?.outcome, 'allow')
  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: ns }\nspec:\n  selector: { matchLabels: { a: b } }\n  template: { metadata: { labels: { a: b } }, spec: ${spec} }\n`
  const [step] = ask(policy, deployment)
  assert.deepEqual([step?.outcome, step?.code, step?.rule], ['unknown', 'not-modelled', 'autogen-defaults'])
  assert.match(String(step?.facts?.what), /^what autogen makes of it \(.*longer than 100000 characters/)
})
