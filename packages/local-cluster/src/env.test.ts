import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container } from '@bulkhead/resources'
import { containerEnv, expand, type PodContext, podEnv } from './env.js'
import { GeneratedSecrets } from './secrets.js'
import { pod, resource } from './testing.js'

const objects = [
  resource({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop' },
    data: { COLOUR: 'blue', PORT: '1' },
  }),
  resource({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'shop' },
    data: { password: Buffer.from('s3cret').toString('base64') },
    stringData: { plain: 'text' },
  }),
]
const context: PodContext = {
  pod,
  annotations: { note: 'hello' },
  hostIp: '172.18.0.2',
  secrets: new GeneratedSecrets('unused'),
  find: (id) => objects.find((object) => object.id === id),
}
const container = (fields: Partial<Container>): Container => ({ name: 'app', image: 'x', ...fields })

test('env wins over envFrom, and a later variable may use an earlier one', () => {
  const env = containerEnv(
    container({
      envFrom: [{ configMapRef: { name: 'settings' } }, { prefix: 'K_', secretRef: { name: 'keys' } }],
      env: [
        { name: 'PORT', value: '8080' },
        { name: 'ADDRESS', value: '0.0.0.0:$(PORT) $(COLOUR) $(LATER) $$(PORT)' },
        { name: 'LATER', value: 'x' },
      ],
    }),
    context,
  )
  assert.deepEqual(env, {
    COLOUR: 'blue',
    PORT: '8080',
    K_password: 's3cret',
    K_plain: 'text',
    ADDRESS: '0.0.0.0:8080 blue $(LATER) $(PORT)',
    LATER: 'x',
  })
})

test('a name of an object prototype is no known variable', () => {
  assert.equal(expand('$(constructor) $(toString)', {}), '$(constructor) $(toString)')
})

test('the downward API answers for the pod', () => {
  const fields = [
    'metadata.name',
    'metadata.namespace',
    'status.podIP',
    'spec.nodeName',
    'spec.serviceAccountName',
    'status.hostIP',
    "metadata.labels['app']",
    "metadata.annotations['note']",
  ]
  const env = containerEnv(
    container({
      env: fields.map((fieldPath, index) => ({ name: `F${index}`, valueFrom: { fieldRef: { fieldPath } } })),
    }),
    context,
  )
  assert.deepEqual(Object.values(env), [
    'web-api-1',
    'shop',
    '10.244.1.2',
    'bulkhead-worker',
    'web-api',
    '172.18.0.2',
    'web-api',
    'hello',
  ])
})

test('a reference to nothing is an error that says where; an optional one is no variable', () => {
  const missing = (env: Container['env'], path: readonly (string | number)[], message: RegExp) =>
    assert.throws(() => containerEnv(container({ ...(env !== undefined && { env }) }), context), { path, message })
  missing(
    [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'nope', key: 'x' } } }],
    ['env', 0, 'valueFrom', 'configMapKeyRef', 'name'],
    /no ConfigMap "nope" in namespace shop/,
  )
  missing(
    [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'nope' } } }],
    ['env', 0, 'valueFrom', 'secretKeyRef', 'key'],
    /has no key "nope"; it has password, plain/,
  )
  missing(
    [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.nope' } } }],
    ['env', 0, 'valueFrom', 'fieldRef', 'fieldPath'],
    /"spec\.nope" has no value here/,
  )
  const optional = container({
    envFrom: [{ configMapRef: { name: 'nope', optional: true } }],
    env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'nope', key: 'x', optional: true } } }],
  })
  assert.deepEqual(containerEnv(optional, context), {})
})

test('of the user’s environment a pod gets what Node needs, and no more', () => {
  const user = { PATH: '/bin', HOME: '/home/me', AWS_SECRET_ACCESS_KEY: 'x', NODE_OPTIONS: '--inspect', TZ: 'UTC' }
  const env = podEnv(
    user,
    '/state/pods/a',
    'web-api-1',
    { NAME: 'web-api', NODE_OPTIONS: '--max-old-space-size=64' },
    { SECRET: 's', NODE_OPTIONS: '--import capture' },
  )
  assert.deepEqual(env, {
    HOME: '/state/pods/a',
    TMPDIR: '/state/pods/a/tmp',
    HOSTNAME: 'web-api-1',
    PATH: '/bin',
    TZ: 'UTC',
    NAME: 'web-api',
    SECRET: 's',
    NODE_OPTIONS: '--import capture --max-old-space-size=64',
  })
})
