import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedResource, madeResource } from './made.js'
import { only } from './testing.js'
import type { FieldPath, KubernetesObject, Resource } from './types.js'

const written = only(`apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: shop
spec:
  containers:
    - name: app
      image: app:1
      ports: [{ containerPort: 8080 }]
    - name: side
      image: side:1
      args: [one, two]
  tolerations:
    - operator: Exists
`)

function at(resource: Resource, ...path: FieldPath): string {
  const { line, column } = resource.position(path)
  return `${line}:${column}`
}

test('of what admission left alone the place is that of the file', () => {
  const same = changedResource(written, structuredClone(written.object))
  for (const path of [[], ['spec', 'containers', 1, 'image'], ['spec', 'containers', 0, 'ports', 0, 'containerPort']])
    assert.deepEqual(same.position(path), written.position(path), path.join('.'))
  assert.deepEqual(
    [same.id, same.kind, same.namespace, same.name],
    [written.id, written.kind, written.namespace, written.name],
  )
})

test('of what it added the place is that of the closest ancestor that is written', () => {
  const { spec, ...rest } = structuredClone(written.object) as KubernetesObject & {
    spec: { containers: Record<string, unknown>[]; tolerations: unknown[] }
  }
  const [app = {}, side = {}] = spec.containers
  const containers = [
    { name: 'injected', image: 'x:1', args: ['one'] },
    { ...side, args: ['zero', 'one', 'two'], securityContext: { runAsUser: 1 } },
    { ...app, ports: [{ containerPort: 9090 }, { containerPort: 8080, name: 'http' }] },
  ]
  const tolerations = [{ operator: 'Equal' }]
  const changed = changedResource(written, {
    ...rest,
    spec: { containers, tolerations, hostNetwork: true },
  } as KubernetesObject)

  assert.equal(at(changed, 'spec', 'hostNetwork'), '6:1', 'a field')
  assert.equal(at(changed, 'spec', 'containers', 0, 'image'), '7:3', 'an entry of a list')
  assert.equal(at(changed, 'spec', 'containers', 1, 'image'), '12:7', 'an entry that moved, by its name')
  assert.equal(at(changed, 'spec', 'containers', 1, 'securityContext', 'runAsUser'), '11:7')
  assert.equal(at(changed, 'spec', 'containers', 1, 'args', 2), '13:19', 'a value that moved')
  assert.equal(at(changed, 'spec', 'containers', 1, 'args', 0), '13:7')
  assert.equal(at(changed, 'spec', 'containers', 2, 'ports', 1, 'name'), '10:15', 'by its port')
  assert.equal(at(changed, 'spec', 'containers', 2, 'ports', 0), '10:7')
  assert.equal(at(changed, 'spec', 'tolerations', 0, 'operator'), '15:7', 'by its index, where it has no name')
  assert.ok(Object.isFrozen(changed.object) && Object.isFrozen(containers[0]))
})

test('a second change is found through the first', () => {
  const first = changedResource(written, {
    ...written.object,
    spec: { containers: [{ name: 'side', image: 'side:2' }] },
  } as KubernetesObject)
  const second = changedResource(first, {
    ...written.object,
    spec: { containers: [{ name: 'new' }, { name: 'side', image: 'side:3' }, { name: 'app', image: 'app:1' }] },
  } as KubernetesObject)
  assert.equal(at(second, 'spec', 'containers', 1, 'image'), '12:7')
  assert.equal(at(second, 'spec', 'containers', 0), '7:3')
  assert.equal(at(second, 'spec', 'containers', 2, 'image'), '7:3', 'the first change took it away')
})

test('names of an object’s prototype are no fields', () => {
  const changed = changedResource(written, structuredClone(written.object))
  assert.equal(at(changed, 'spec', 'constructor', 'name'), '6:1')
  assert.equal(at(changed, 'spec', '__proto__'), '6:1')
  assert.equal(at(changed, 'spec', 'containers', 'length'), '7:3')
})

test('what something made is all at one place of it, and of its layer', () => {
  const by: Resource = { ...written, layer: '10-admission' }
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: 'shop' }, data: { a: '1' } }
  const made = madeResource(object, by, ['spec', 'containers', 1])
  assert.equal(at(made, 'data', 'a'), '11:7')
  assert.deepEqual(
    [made.id, made.kind, made.namespace, made.name, made.layer],
    ['ConfigMap/shop/m', 'ConfigMap', 'shop', 'm', '10-admission'],
  )
  const cluster = madeResource({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }, written)
  assert.deepEqual(
    [cluster.id, cluster.namespace, 'layer' in cluster, at(cluster, 'kind')],
    ['Namespace/n', undefined, false, '1:1'],
  )
  assert.ok(Object.isFrozen(object.data))
})
