import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Asking, ask, objectsOf, podOf } from '../../../../testing/cluster-policy.js'
import { field } from '../data.js'

/* mutate: strategic merges with anchors, JSON Patches, foreach. */

const policy = (mutate: string, rest = '') =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  ${rest}
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Pod]}}]}
      mutate:
${mutate.replace(/^/gm, '        ')}`)

const mutate = (text: string, object = podOf(), asking: Asking = {}) => ask(policy(text), object, 'mutate', asking)
const two = podOf({
  containers: [
    { name: 'a', image: 'x:latest' },
    { name: 'b', image: 'y:1', imagePullPolicy: 'Never' },
  ],
})
const containers = (object: unknown) => field(object, 'spec', 'containers')

test('what is absent is added, and what is there stays', () => {
  const patch = `patchStrategicMerge:
  metadata: {labels: {+(team): none}}
  spec:
    +(hostname): h
    securityContext: {+(runAsNonRoot): true}`
  const added = mutate(patch)
  assert.deepEqual(
    [added.steps[0]?.code, added.steps[0]?.facts?.why],
    ['admission.mutated', 'mutated Pod/p in namespace sandbox'],
  )
  assert.deepEqual(field(added.object, 'metadata', 'labels'), { team: 'none' })
  assert.deepEqual(
    [field(added.object, 'spec', 'hostname'), field(added.object, 'spec', 'securityContext')],
    ['h', { runAsNonRoot: true }],
  )
  const kept = podOf({ hostname: 'own', securityContext: { runAsNonRoot: false } }, { labels: { team: 'x' } })
  const same = mutate(patch, kept)
  assert.deepEqual(same.object, kept)
  assert.deepEqual([same.steps[0]?.outcome, same.steps[0]?.facts?.why], ['not-applicable', 'no patches applied'])
})

test('a condition chooses elements of a list by what they hold', () => {
  const { object } = mutate(
    `patchStrategicMerge: {spec: {containers: [{(image): "*:latest", imagePullPolicy: Always}]}}`,
    two,
  )
  assert.deepEqual(containers(object), [
    { name: 'a', image: 'x:latest', imagePullPolicy: 'Always' },
    { name: 'b', image: 'y:1', imagePullPolicy: 'Never' },
  ])
})

test('to every container: what it lacks', () => {
  const { object } = mutate(
    `patchStrategicMerge: {spec: {containers: [{(name): "*", +(imagePullPolicy): Always}]}}`,
    two,
  )
  assert.deepEqual(field(object, 'spec', 'containers', 0, 'imagePullPolicy'), 'Always')
})

test('a condition of the object decides over the whole patch, a global one from inside', () => {
  const patch = (condition: string) => `patchStrategicMerge: {spec: {${condition}, hostname: h}}`
  assert.equal(field(mutate(patch('(nodeName): "n*"'), podOf({ nodeName: 'n1' })).object, 'spec', 'hostname'), 'h')
  assert.equal(mutate(patch('(nodeName): "n*"'), podOf({ nodeName: 'x' })).steps[0]?.outcome, 'not-applicable')
  assert.equal(mutate(patch('(nodeName): "n*"')).steps[0]?.outcome, 'not-applicable')
  const global = patch('containers: [{<(image): "*:latest"}]')
  assert.equal(field(mutate(global, two).object, 'spec', 'hostname'), 'h')
  assert.equal(mutate(global, podOf()).steps[0]?.outcome, 'not-applicable')
})

test('a JSON Patch, with variables in it, makes the way that it needs', () => {
  const patch = (path: string) => `patchesJson6902: |-
  - {op: add, path: "${path}", value: "{{ request.object.metadata.name }}"}
  - {op: remove, path: /spec/none}`
  const { object, steps } = mutate(patch('/metadata/labels/of'))
  assert.deepEqual([field(object, 'metadata', 'labels'), steps[0]?.code], [{ of: 'p' }, 'admission.mutated'])
  const failed = mutate(patch('/spec/containers/7/name'))
  assert.deepEqual([failed.steps[0]?.outcome, failed.steps[0]?.code], ['deny', 'admission.failed'])
  assert.match(failed.steps[0]?.message ?? '', /^failed to patch resource: /)
})

test('foreach, with each element, in the order that patches ask for', () => {
  const { object } = mutate(
    `foreach:
  - list: request.object.spec.containers
    preconditions: {all: [{key: "{{ element.image }}", operator: Equals, value: "*:latest"}]}
    patchStrategicMerge: {spec: {containers: [{name: "{{ element.name }}", image: "r/{{ element.image }}"}]}}
  - list: request.object.spec.containers
    patchesJson6902: |-
      - {op: add, path: "/spec/containers/{{ elementIndex }}/env", value: [{name: IMAGE, value: "{{ element.image }}"}]}`,
    two,
  )
  assert.deepEqual(containers(object), [
    { name: 'a', image: 'r/x:latest', env: [{ name: 'IMAGE', value: 'r/x:latest' }] },
    { name: 'b', image: 'y:1', imagePullPolicy: 'Never', env: [{ name: 'IMAGE', value: 'y:1' }] },
  ])
})

test('a Deployment is patched in its template', () => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace: 'sandbox' },
    spec: { template: { spec: { containers: [{ name: 'c' }] } } },
  }
  const { object, steps } = ask(policy('patchStrategicMerge: {spec: {+(hostname): h}}'), deployment, 'mutate')
  assert.equal(field(object, 'spec', 'template', 'spec', 'hostname'), 'h')
  assert.equal(steps[0]?.rule, 'autogen-r')
})

test('a variable without a value refuses, or with Ignore does nothing', () => {
  const patch = 'patchStrategicMerge: {spec: {hostname: "{{ request.object.none }}"}}'
  const [step] = mutate(patch).steps
  assert.equal(
    step?.message,
    'variable substitution failed: failed to resolve request.object.none at path /mutate/patchStrategicMerge/spec/hostname: JMESPath query failed: Unknown key "none" in path',
  )
  assert.equal(step?.outcome, 'deny')
  const ignored = ask(policy(patch, 'failurePolicy: Ignore'), podOf(), 'mutate')
  assert.equal(ignored.steps[0]?.outcome, 'audit')
})

test('other objects than the one that is created are not modelled', () => {
  const [step] = mutate(
    'targets: [{apiVersion: v1, kind: Secret, name: s}]\npatchStrategicMerge: {metadata: {labels: {a: b}}}',
  ).steps
  assert.deepEqual([step?.outcome, step?.code], ['unknown', 'not-modelled'])
})

test('what is deleted is changed by nobody', () => {
  const patch = 'patchStrategicMerge: {spec: {hostname: h}}'
  assert.equal(mutate(patch, podOf(), { operation: 'DELETE' }).steps[0]?.code, 'admission.not-matched')
})

test('each rule sees what the one before has made; with applyRules One the first that does something is the last', () => {
  const twice = (rest: string) => {
    const [first] = policy('patchStrategicMerge: {spec: {+(hostname): a}}', rest)
    const [second] = policy(
      'patchStrategicMerge: {spec: {(hostname): a, subdomain: "{{ request.object.spec.hostname }}"}}',
    )
    assert.ok(first !== undefined && second !== undefined)
    const rules = [
      field(first.object, 'spec', 'rules', 0),
      { ...Object(field(second.object, 'spec', 'rules', 0)), name: 's' },
    ]
    const spec = { ...Object(field(first.object, 'spec')), rules }
    return ask([{ ...first, object: { ...first.object, ...{ spec } } }], podOf(), 'mutate')
  }
  assert.equal(field(twice('background: false').object, 'spec', 'subdomain'), 'a')
  const one = twice('applyRules: One')
  assert.deepEqual([one.steps.length, field(one.object, 'spec', 'subdomain')], [1, undefined])
})
