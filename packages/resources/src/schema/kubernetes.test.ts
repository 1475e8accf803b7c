import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { only, problems } from '../testing.js'

const messages = (text: string) =>
  parseManifests(text, 'm.yaml').diagnostics.map(({ message, at }) => `${at.line}:${at.column} ${message}`)
const deployment = (pod: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: shop }\nspec:\n  selector: { matchLabels: { app: d } }\n  template:\n    metadata: { labels: { app: d } }\n    spec:\n${pod}`
const container = (text: string) =>
  deployment(`      containers:\n        - name: c\n          image: i\n          ${text}`)
const named = (kind: string, rest: string, apiVersion = 'v1') =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x, namespace: shop }\n${rest}`

test('an unknown field is an error, with the field that was probably meant', () => {
  assert.deepEqual(messages(named('NetworkPolicy', 'spec: { podSelector: {}, ingres: [] }', 'networking.k8s.io/v1')), [
    '4:26 NetworkPolicy/shop/x: unknown field "ingres" in spec; did you mean "ingress"?',
  ])
  assert.deepEqual(
    problems(named('NetworkPolicy', 'spec: { podSelector: {}, ingress: [] }', 'networking.k8s.io/v1')),
    [],
  )
  assert.deepEqual(problems(container('imagePullPolice: Always')), ['error field.unknown 12:11'])
  assert.deepEqual(problems(container('env: [{ name: A, valeu: b }]')), ['error field.unknown 12:28'])
  assert.deepEqual(problems(named('ServiceAccount', 'spec: {}')), ['error field.unknown 4:1'])
  assert.deepEqual(
    problems('apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: x, namespace: shop, label: {} }'),
    ['error field.unknown 3:39'],
  )
  assert.deepEqual(problems(named('ConfigMap', 'data: { constructor: "1", __proto__: "2", anything: "3" }')), [])
  assert.deepEqual(problems(named('ServiceAccount', 'constructor: {}')), ['error field.unknown 4:1'])
})

test('a wrong type is one error that quotes what is written', () => {
  assert.deepEqual(messages(container('ports: [{ containerPort: "8080" }]')), [
    '12:21 Deployment/shop/d: spec.template.spec.containers[0].ports[0].containerPort is the string "8080", and must be an integer; take the quotes away',
  ])
  assert.deepEqual(messages(container('env: [{ name: A, value: on }]')), [
    '12:28 Deployment/shop/d: spec.template.spec.containers[0].env[0].value is on (read as true, as Kubernetes does), a boolean, and must be a string; put it in quotes: "on"',
  ])
  assert.deepEqual(messages(container('livenessProbe: { tcpSocket: { port: true } }')), [
    '12:41 Deployment/shop/d: spec.template.spec.containers[0].livenessProbe.tcpSocket.port is true, a boolean, and must be a string or an integer; put it in quotes: "true"',
  ])
  assert.deepEqual(problems('apiVersion: v1\nkind: Namespace\nmetadata: { name: x, labels: { v: 1.0 } }'), [
    'error field.type 3:32',
  ])
  assert.deepEqual(problems(named('ConfigMap', 'data: { A: }')), ['error field.type 4:9'])
  assert.deepEqual(problems(named('ConfigMap', 'data: { A: "" }')), [])
  assert.deepEqual(problems('apiVersion: v1\nkind: Namespace\nmetadata: { name: 5 }'), ['error field.type 3:13'])
  assert.deepEqual(problems(deployment('      containers: [null]')), ['error field.type 9:20'])
})

test('a missing field is an error at what lacks it', () => {
  assert.deepEqual(problems(deployment('      containers: [{ image: i }]')), ['error field.missing 9:20'])
  assert.deepEqual(
    problems('apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: shop }\nspec: {}'),
    ['error field.missing 4:1', 'error field.missing 4:1'],
  )
  assert.deepEqual(problems('apiVersion: v1\nkind: Pod\nmetadata: { name: d, namespace: shop }'), [
    'error field.missing 1:1',
  ])
})

test('numbers, octal modes and quantities are read as Kubernetes reads them', () => {
  const { object } = only(
    deployment(
      '      containers:\n        - { name: c, image: i, resources: { limits: { cpu: 1, memory: 64Mi } } }\n      volumes:\n        - { name: v, emptyDir: {} }\n        - { name: s, secret: { secretName: s, defaultMode: 0400 } }',
    ),
  )
  const { spec } = object as unknown as {
    spec: { template: { spec: { volumes: { secret?: { defaultMode: number } }[] } } }
  }
  assert.equal(spec.template.spec.volumes[1]?.secret?.defaultMode, 256)
})

test("a kind that Kubernetes does not have is an error; another project's kind is a warning", () => {
  assert.deepEqual(messages(named('Deploymnet', '', 'apps/v1')), [
    '2:1 Deploymnet/shop/x: "apps/v1" has no kind "Deploymnet"; did you mean Deployment?',
  ])
  assert.deepEqual(messages(named('Deployment', '')), [
    '2:1 Deployment/shop/x: "v1" has no kind "Deployment"; Deployment belongs to the group apps',
  ])
  assert.deepEqual(messages(named('Deployment', '', 'apps/v1beta1')), [
    '1:1 Deployment/shop/x: no current cluster serves Deployment as "apps/v1beta1"; write apps/v1',
  ])
  assert.deepEqual(problems(named('Ingress', '', 'extensions/v1beta1')), ['error kind.version 1:1'])
  assert.deepEqual(problems(named('Deployment', '', 'apps/v7')), ['error kind.unknown 1:1'])
  assert.deepEqual(problems(named('PodSpec', '')), ['error kind.unknown 2:1'])
  assert.deepEqual(problems(named('Widget', 'spec: { any: null }', 'example.com/v1')), ['warning kind.no-schema 2:1'])
  assert.deepEqual(problems('apiVersion: example.com/v1\nkind: Widget\nmetadata: { name: x, nmae: y }'), [
    'error field.unknown 3:22',
    'warning kind.no-schema 2:1',
  ])
  assert.deepEqual(problems(named('../../x', '', 'v1')), ['error object.not-kubernetes 2:1'])
})

test('a kind without a schema says what becomes of it; one that may stop traffic says that too', () => {
  const unread = 'has no schema here, so only its metadata is checked and none of its rules is followed'
  assert.deepEqual(messages(named('Widget', '', 'example.com/v1')), [
    `2:1 Widget/shop/x: example.com/v1 Widget ${unread}`,
  ])
  assert.deepEqual(messages(named('NetworkPolicy', '', 'projectcalico.org/v3')), [
    `2:1 NetworkPolicy/shop/x: projectcalico.org/v3 NetworkPolicy ${unread}; of traffic that it may stop the verdict is "unknown"`,
  ])
})
