import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, objectsOf } from '../../../../testing/cluster-policy.js'

/* generate: what a new namespace gets beside itself. */

const policy = (generate: string, more = '', rest = '') =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p}
spec:
  rules:
    - name: r
      match: {any: [{resources: {kinds: [Namespace]}}]}
      ${rest}
      generate:
${generate.replace(/^/gm, '        ')}
${more}`)

const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { tier: 'front' } } }
const marks = {
  'app.kubernetes.io/managed-by': 'kyverno',
  'generate.kyverno.io/policy-name': 'p',
  'generate.kyverno.io/policy-namespace': '',
  'generate.kyverno.io/rule-name': 'r',
  'generate.kyverno.io/trigger-group': '',
  'generate.kyverno.io/trigger-version': 'v1',
  'generate.kyverno.io/trigger-kind': 'Namespace',
  'generate.kyverno.io/trigger-namespace': '',
}

const denyAll = (synchronize: boolean) => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
name: default-deny
namespace: "{{ request.object.metadata.name }}"
synchronize: ${synchronize}
data:
  metadata: {labels: {tier: "{{ request.object.metadata.labels.tier }}"}}
  spec: {podSelector: {}, policyTypes: [Ingress, Egress]}`

test('a NetworkPolicy of data, with variables', () => {
  const { steps, generated } = ask(policy(denyAll(true)), namespace, 'generate')
  assert.deepEqual(generated, [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'default-deny', namespace: 'shop', labels: { tier: 'front', ...marks } },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    },
  ])
  assert.deepEqual(
    [steps[0]?.outcome, steps[0]?.code, steps[0]?.facts],
    ['allow', 'admission.generated', { makes: 'NetworkPolicy/default-deny in namespace shop', synchronize: 'true' }],
  )
})

test('what is there already stays, unless it is kept in step', () => {
  const there = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}}`
  assert.deepEqual(ask(policy(denyAll(false), there), namespace, 'generate').generated, [])
  assert.equal(ask(policy(denyAll(true), there), namespace, 'generate').generated?.length, 1)
})

const quota = `---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota, namespace: templates, labels: {a: b}, annotations: {why: it is}}
spec: {hard: {pods: "10"}}`
const copy = (name: string) => `apiVersion: v1
kind: ResourceQuota
name: quota
namespace: "{{ request.object.metadata.name }}"
clone: {name: ${name}, namespace: templates}`

test('a copy of what is there elsewhere', () => {
  const { generated } = ask(policy(copy('quota'), quota), namespace, 'generate')
  assert.deepEqual(generated, [
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: {
        name: 'quota',
        namespace: 'shop',
        labels: { a: 'b', 'generate.kyverno.io/clone-source': '', ...marks },
        annotations: { why: 'it is' },
      },
      spec: { hard: { pods: '10' } },
    },
  ])
})

test('what cannot be made refuses nothing', () => {
  const { steps, generated } = ask(policy(copy('gone'), quota), namespace, 'generate')
  assert.deepEqual([steps[0]?.outcome, steps[0]?.code, generated], ['audit', 'admission.audited', []])
  assert.match(steps[0]?.message ?? '', /not found/)
})

test('one for each element of a list', () => {
  const each = `synchronize: false
foreach:
  - list: "['a', 'b']"
    apiVersion: v1
    kind: ConfigMap
    name: "{{ element }}"
    namespace: shop
    data: {data: {index: "{{ elementIndex }}-"}}`
  const { generated } = ask(policy(each), namespace, 'generate')
  assert.deepEqual(
    generated?.map(({ metadata: { name } }) => name),
    ['a', 'b'],
  )
})

test('only when preconditions hold, and not for other objects', () => {
  const when =
    'preconditions: {all: [{key: "{{ request.object.metadata.labels.tier }}", operator: Equals, value: back}]}'
  assert.equal(ask(policy(denyAll(true), '', when), namespace, 'generate').steps[0]?.outcome, 'not-applicable')
  const other = { ...namespace, kind: 'Node' }
  assert.equal(ask(policy(denyAll(true)), other, 'generate').steps[0]?.code, 'admission.not-matched')
})

test('lists of copies are not modelled', () => {
  const list = 'namespace: shop\ncloneList: {namespace: templates, kinds: [v1/Secret]}'
  const [step] = ask(policy(list), namespace, 'generate').steps
  assert.deepEqual([step?.outcome, step?.code], ['unknown', 'not-modelled'])
})
