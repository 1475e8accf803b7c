import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PodSpec } from '@bulkhead/resources'
import { temporaryFolder } from '@bulkhead/testing'
import type { PodContext } from './env.js'
import { GeneratedSecrets } from './secrets.js'
import { pod, resource } from './testing.js'
import { imageVolumes, makeVolumes, pointToVolumes } from './volumes.js'

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
  secrets: new GeneratedSecrets('unused'),
  find: (id) => objects.find((object) => object.id === id),
}
const plan = (volumes: NonNullable<PodSpec['volumes']>, claims: Record<string, string> = {}) => ({
  spec: { containers: [], volumes },
  context,
  claims: new Map(Object.entries(claims)),
})
const under = (folder: string) => ({ folder, data: join(folder, 'data') })

test('emptyDir, ConfigMap, Secret and a projection of them are folders of the pod', (t) => {
  const folder = temporaryFolder(t)
  const made = makeVolumes(
    plan([
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
    under(folder),
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
    const bad = plan([{ name: 'conf', configMap: { name: 'settings', items: [{ key: 'a.conf', path }] } }])
    assert.throws(() => makeVolumes(bad, under(folder)), /leads out of the volume/)
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

test("a claim is the namespace's folder, and keeps what is in it", (t) => {
  const folder = temporaryFolder(t)
  const claimed = plan([{ name: 'data', persistentVolumeClaim: { claimName: 'pg' } }], {
    data: 'pg',
    own: 'own-web-api-1',
  })
  const made = makeVolumes(claimed, under(folder))
  assert.deepEqual(Object.fromEntries(made), {
    data: join(folder, 'data/shop/pg'),
    own: join(folder, 'data/shop/own-web-api-1'),
  })
  writeFileSync(join(folder, 'data/shop/pg/kept'), 'x')
  makeVolumes(claimed, under(folder))
  assert.equal(readFileSync(join(folder, 'data/shop/pg/kept'), 'utf8'), 'x')
  assert.equal(statSync(join(folder, 'data/shop/pg')).mode & 0o777, 0o700)
})

test("a folder that the image has a volume for is the container's own, unless something is mounted there", (t) => {
  const folder = temporaryFolder(t)
  const image = { root: '', entrypoint: [], cmd: [], env: { PGDATA: '/var/lib/pg/18' }, volumes: ['/var/lib/pg'] }
  const container = { spec: { name: 'pg', image: 'x' }, image, argv: ['node'] as const, env: image.env }
  const own = imageVolumes(container, folder)
  assert.deepEqual(Object.fromEntries(own), { '/var/lib/pg': join(folder, 'pg/0') })
  assert.equal(pointToVolumes(container.env, container.spec, new Map(), own).env.PGDATA, join(folder, 'pg/0/18'))
  const mounted = { ...container.spec, volumeMounts: [{ name: 'data', mountPath: '/var/lib/pg/' }] }
  assert.equal(imageVolumes({ ...container, spec: mounted }, folder).size, 0)
})
