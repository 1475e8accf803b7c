import assert from 'node:assert/strict'
import { test } from 'node:test'
import { objects } from '../../testing/cel-policies.js'
import { indexObjects } from '../objects.js'
import { reviewOf } from '../review.js'
import type { AdmissionRequest } from '../types.js'
import { compileMatch } from './match.js'

const namespaces = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { tier: front } }\n'

function matches(constraints: object, yaml: string, request: Partial<AdmissionRequest> = {}): boolean {
  const [object] = objects(yaml)
  if (object === undefined) throw new TypeError('the object is missing')
  const review = reviewOf({ operation: 'CREATE', ...request, object }, indexObjects(objects(namespaces)))
  return compileMatch(constraints)(review)
}

const pod =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: c, image: x }] }\n'
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: other, labels: { tier: back } }\n'
const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: { name: r }\nrules: []\n'
const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
const of = (more: object): object => ({ resourceRules: [{ ...rule, ...more }] })

test('operation, group, version, resource, name and scope', () => {
  for (const [more, wanted] of [
    [{}, true],
    [{ operations: ['UPDATE'] }, false],
    [{ operations: ['*'] }, true],
    [{ apiGroups: ['apps'] }, false],
    [{ apiGroups: ['*'] }, true],
    [{ resources: ['services'] }, false],
    [{ resources: ['*'] }, true],
    [{ resources: ['*/*'] }, true],
    [{ resources: ['pods/status'] }, false],
    [{ resourceNames: ['p'] }, true],
    [{ resourceNames: ['q'] }, false],
    [{ scope: 'Namespaced' }, true],
    [{ scope: 'Cluster' }, false],
    [{ apiVersions: ['v2'] }, true],
  ] as const) {
    assert.equal(matches(of(more), pod), wanted, JSON.stringify(more))
  }
  assert.equal(matches({ ...of({ apiVersions: ['v2'] }), matchPolicy: 'Exact' }, pod), false)
  assert.equal(matches({}, pod), true)
})

test('subresources are named, and a star for the resource alone is not for them', () => {
  const debug = { subResource: 'ephemeralcontainers' } as const
  for (const [resources, wanted] of [
    [['pods'], false],
    [['*'], false],
    [['pods/*'], true],
    [['pods/ephemeralcontainers'], true],
    [['*/ephemeralcontainers'], true],
    [['*/*'], true],
  ] as const) {
    assert.equal(matches(of({ resources }), pod, debug), wanted, resources.join())
  }
})

test('exclusions', () => {
  assert.equal(matches({ ...of({}), excludeResourceRules: [rule] }, pod), false)
  assert.equal(matches({ ...of({}), excludeResourceRules: [{ ...rule, resourceNames: ['q'] }] }, pod), true)
})

test('namespaces by label: a Namespace by its own, what is in none always', () => {
  const front = { namespaceSelector: { matchLabels: { tier: 'front' } } }
  const back = { namespaceSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front'] }] } }
  const named = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }
  assert.deepEqual(
    [front, back, named].map((one) => matches(one, pod)),
    [true, false, true],
  )
  assert.deepEqual(
    [front, back, named].map((one) => matches(one, namespace)),
    [false, true, false],
  )
  assert.deepEqual(
    [front, back, named].map((one) => matches(one, role)),
    [true, true, true],
  )
  assert.equal(matches({ namespaceSelector: {} }, pod), true)
})

test('objects by label, of what is to be or of what is there', () => {
  const web = { objectSelector: { matchLabels: { app: 'web' } } }
  const db = { objectSelector: { matchLabels: { app: 'db' } } }
  const [old] = objects(pod.replace('app: web', 'app: db'))
  assert.ok(old)
  assert.deepEqual(
    [web, db].map((one) => matches(one, pod)),
    [true, false],
  )
  assert.deepEqual(
    [web, db].map((one) => matches(one, pod, { operation: 'UPDATE', oldObject: old.object })),
    [true, true],
  )
})

test('whatever is written there, nothing is thrown', () => {
  for (const junk of [
    null,
    1,
    'x',
    [],
    { resourceRules: 'x' },
    { resourceRules: [null, 3, { operations: 1 }] },
    { namespaceSelector: 1, objectSelector: [] },
  ]) {
    assert.equal(typeof matches(Object(junk), pod), 'boolean')
  }
})
