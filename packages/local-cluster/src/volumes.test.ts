import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PodSpec } from '@bulkhead/resources'
import type { PodContext } from './env.js'
import { pod, resource, temporaryFolder } from './testing.js'
import { makeVolumes, pointToVolumes } from './volumes.js'

const objects = [
  resource({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop' },
    data: { 'a.conf': 'A', 'b.conf': 'B' },
  }),
  resource({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'shop' },
    stringData: { password: 'p' },
  }),
]
const context: PodContext = {
  pod,
  annotations: {},
  hostIp: '',
  find: (id) => objects.find((object) => object.id === id),
}
const spec = (volumes: PodSpec['volumes']): PodSpec => ({ containers: [], ...(volumes !== undefined && { volumes }) })

test('emptyDir, ConfigMap, Secret and a projection of them are folders of the pod', (t) => {
  const folder = temporaryFolder(t)
  const made = makeVolumes(
    spec([
      { name: 'tmp', emptyDir: {} },
      { name: 'conf', configMap: { name: 'settings', items: [{ key: 'a.conf', path: 'deep/a' }] } },
      { name: 'keys', secret: { secretName: 'keys' } },
      {
        name: 'all',
        projected: {
          sources: [
            { configMap: { name: 'settings' } },
            { secret: { name: 'keys' } },
            { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
          ],
        },
      },
    ]),
    folder,
    context,
  )
  assert.deepEqual([...made.keys()], ['tmp', 'conf', 'keys', 'all'])
  assert.ok(statSync(join(folder, 'tmp')).isDirectory())
  assert.equal(readFileSync(join(folder, 'conf/deep/a'), 'utf8'), 'A')
  assert.equal(existsSync(join(folder, 'conf/b.conf')), false)
  assert.equal(statSync(join(folder, 'keys/password')).mode & 0o777, 0o600)
  assert.deepEqual(
    ['a.conf', 'password', 'name'].map((name) => readFileSync(join(folder, 'all', name), 'utf8')),
    ['A', 'p', 'web-api-1'],
  )
})

test('a path that leads out of the volume is refused', (t) => {
  const folder = temporaryFolder(t)
  for (const path of ['../x', 'a/../../x', '/etc/x', '']) {
    const bad = spec([{ name: 'conf', configMap: { name: 'settings', items: [{ key: 'a.conf', path }] } }])
    assert.throws(() => makeVolumes(bad, folder, context), /leads out of the volume/)
  }
})

test('values that begin with a mount path point to its folder; others are left alone', () => {
  const container = {
    name: 'app',
    image: 'x',
    volumeMounts: [
      { name: 'data', mountPath: '/data' },
      { name: 'cache', mountPath: '/data/cache/' },
    ],
  }
  const volumes = new Map([
    ['data', '/pods/data'],
    ['cache', '/pods/cache'],
  ])
  const { env, rewritten } = pointToVolumes(
    { A: '/data/db', B: '/data/cache/x', C: '/database', D: 'http://x/data', E: '/data' },
    container,
    volumes,
  )
  assert.deepEqual(env, { A: '/pods/data/db', B: '/pods/cache/x', C: '/database', D: 'http://x/data', E: '/pods/data' })
  assert.deepEqual(
    rewritten.map(({ name }) => name),
    ['A', 'B', 'E'],
  )
})
