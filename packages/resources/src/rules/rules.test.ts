import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problems } from '../testing.js'

const deployment = ({
  selector = '{ matchLabels: { app: d } }',
  pod = 'containers: [{ name: c, image: i }]',
  more = '',
} = {}) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: shop }\nspec:\n  selector: ${selector}\n  template:\n    metadata: { labels: { app: d } }\n    spec: { ${pod} }\n${more}`
const service = (spec: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: shop }\nspec: { ${spec} }`

test('a workload must select the pods of its own template', () => {
  assert.deepEqual(problems(deployment()), [])
  assert.deepEqual(
    problems(deployment({ selector: '{ matchExpressions: [{ key: app, operator: In, values: [d, e] }] }' })),
    [],
  )
  assert.deepEqual(problems(deployment({ selector: '{ matchLabels: { app: e } }' })), [
    'error selector.not-own-template 5:3',
  ])
  assert.deepEqual(problems(deployment({ selector: '{}' })), ['error selector.empty 5:3'])
  assert.deepEqual(
    problems(deployment({ selector: '{ matchExpressions: [{ key: app, operator: Inn, values: [d] }] }' })),
    ['error selector.operator 5:46', 'error selector.not-own-template 5:3'],
  )
  assert.deepEqual(
    problems(
      deployment({
        selector: '{ matchLabels: { app: d }, matchExpressions: [{ key: app, operator: Exists, values: [d] }] }',
      }),
    ),
    ['error selector.values 5:89'],
  )
  assert.deepEqual(problems(deployment({ more: '  replicas: -1\n' })), ['error field.value 9:3'])
})

test('ports, names and mounts of a pod fit together', () => {
  const pod = (container: string, more = '') =>
    problems(deployment({ pod: `containers: [{ name: c, image: i, ${container} }]${more}` }))
  assert.deepEqual(pod('ports: [{ containerPort: 8080, name: http }], livenessProbe: { httpGet: { port: http } }'), [])
  assert.deepEqual(pod('ports: [{ containerPort: 0 }]'), ['error value.port 8:57'])
  assert.deepEqual(pod('ports: [{ containerPort: 1, protocol: TPC }]'), ['error field.value 8:75'])
  assert.deepEqual(pod('ports: [{ containerPort: 1, name: a_b }]'), ['error object.name 8:75'])
  assert.deepEqual(pod('livenessProbe: { httpGet: { port: http } }'), ['warning reference.port 8:75'])
  assert.deepEqual(pod('volumeMounts: [{ name: v, mountPath: /v }]'), ['error reference.volume 8:64'])
  assert.deepEqual(pod('volumeMounts: [{ name: v, mountPath: /v }]', ', volumes: [{ name: v, emptyDir: {} }]'), [])
  const claims = '  volumeClaimTemplates: [{ metadata: { name: v }, spec: { accessModes: [ReadWriteOnce] } }]\n'
  const stateful = (name: string) => {
    const mounts = `containers: [{ name: c, image: i, volumeMounts: [{ name: ${name}, mountPath: /v }] }]`
    return problems(
      deployment({ pod: mounts, more: `  serviceName: d\n${claims}` }).replace('kind: Deployment', 'kind: StatefulSet'),
    )
  }
  assert.deepEqual(stateful('v'), [])
  assert.deepEqual(stateful('w'), ['error reference.volume 8:64'])
  assert.deepEqual(problems(deployment({ pod: 'containers: [{ name: c, image: i }, { name: c, image: i }]' })), [
    'error object.duplicate-name 8:49',
  ])
  assert.deepEqual(problems(deployment({ pod: 'containers: []' })), ['error field.missing 8:13'])
})

test("a Service's ports are ports", () => {
  assert.deepEqual(problems(service('selector: { app: d }, ports: [{ port: 80, targetPort: http }]')), [])
  assert.deepEqual(problems(service('ports: [{ port: 0 }]')), ['error value.port 4:19'])
  assert.deepEqual(problems(service('ports: [{ port: 80, targetPort: 70000 }]')), ['error value.port 4:29'])
  assert.deepEqual(problems(service('ports: [{ port: 80, targetPort: "80" }]')), ['error value.port 4:29'])
  assert.deepEqual(problems(service('ports: [{ port: 80 }, { port: 81, name: a }]')), ['error field.missing 4:17'])
  assert.deepEqual(problems(service('ports: [{ port: 80, name: a }, { port: 81, name: a }]')), [
    'error object.duplicate-name 4:40',
  ])
})
