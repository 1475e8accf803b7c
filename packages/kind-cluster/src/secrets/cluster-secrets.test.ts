import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { root, temporaryPlace } from '../plan/testing.js'
import { recordingTools } from '../testing/index.js'
import { type LiveSecrets, makeSecrets, toTell } from './cluster-secrets.js'
import { readSecrets } from './live-secrets.js'

const { resources } = await loadManifests([join(root, 'k8s/workloads')], { relativeTo: root })

interface Manifest {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly data: Readonly<Record<string, string>>
}
const parsed = (text: string): readonly Manifest[] => {
  const [before, ...documents] = text.split('---\n')
  assert.equal(before, '', 'kubectl would read the whole as one object of JSON')
  return documents.map((one) => JSON.parse(one) as Manifest)
}
/** What a cluster has after the text was applied. */
const applied = (text: string): LiveSecrets =>
  new Map(
    parsed(text).map(({ metadata, data }) => [
      `${metadata.namespace}/${metadata.name}`,
      Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])),
    ]),
  )
const nothing: LiveSecrets = new Map()

test('every Secret gets the values that no file has, beside those of its file', () => {
  const { text, fresh } = makeSecrets(resources, nothing)
  const live = applied(text)
  // kubectl takes away what an apply of the file has written and this one does not have: the name of the user among it.
  assert.deepEqual(Object.keys(live.get('demo/postgres-secret') ?? {}), ['username', 'database', 'password'])
  const [first] = parsed(text)
  assert.equal(first?.metadata.annotations?.['bulkhead.dev/generate'], 'password')
  assert.match(live.get('demo/postgres-secret')?.password ?? '', /^[A-Za-z0-9]{32}$/)
  assert.deepEqual([...live.keys()].sort(), [
    'demo/postgres-secret',
    'gthulhu-node/gthulhu-manager-public-key',
    'gthulhu-node/gthulhu-scheduler-key',
    'gthulhu/gthulhu-manager-admin',
    'gthulhu/gthulhu-manager-key',
    'gthulhu/gthulhu-manager-mongodb',
    'gthulhu/gthulhu-mongodb-auth',
    'gthulhu/gthulhu-mongodb-keyfile',
    'gthulhu/gthulhu-scheduler-public-key',
  ])
  assert.equal(fresh.length, 7, 'public halves are no news')
  const own = createPublicKey(live.get('gthulhu/gthulhu-manager-key')?.['private-key.pem'] ?? '')
  assert.equal(
    live.get('gthulhu-node/gthulhu-manager-public-key')?.['public-key.pem'],
    own.export({ type: 'spki', format: 'pem' }),
  )
})

test('what the cluster has stays, to the byte, and its public half with it', () => {
  const first = makeSecrets(resources, nothing)
  const again = makeSecrets(resources, applied(first.text))
  assert.equal(again.text, first.text)
  assert.deepEqual(again.fresh, [])
  const live = new Map(applied(first.text))
  live.delete('gthulhu/gthulhu-manager-admin')
  live.set('demo/postgres-secret', { username: 'hello', password: '' })
  const some = makeSecrets(resources, live)
  assert.deepEqual(some.fresh, ['demo/postgres-secret', 'gthulhu/gthulhu-manager-admin'])
  assert.equal(
    applied(some.text).get('gthulhu/gthulhu-mongodb-auth')?.password,
    live.get('gthulhu/gthulhu-mongodb-auth')?.password,
  )
})

test('what a person has to know is told of those that are new, by what the cluster has', () => {
  const live = new Map(applied(makeSecrets(resources, nothing).text))
  live.set('gthulhu/gthulhu-manager-admin', { username: 'admin@example.com', password: 'the one' })
  const values = [
    { key: 'username', value: 'admin@example.com' },
    { key: 'password', value: 'the one' },
  ]
  const told = toTell(resources, live, ['gthulhu/gthulhu-manager-admin', 'demo/postgres-secret'])
  assert.deepEqual(told, [{ secret: 'gthulhu/gthulhu-manager-admin', values }])
  assert.deepEqual(toTell(resources, live, []), [])
})

test('they are read by namespace, one, several or none of them, and never logged', async (t) => {
  const place = temporaryPlace(t)
  const secret = (name: string, data: object) => ({ kind: 'Secret', metadata: { name }, data })
  const tools = recordingTools([
    [
      'kubectl --namespace demo get secrets',
      { stdout: JSON.stringify(secret('postgres-secret', { password: 'eA==' })) },
    ],
    ['kubectl --namespace gthulhu get secrets', { stdout: '' }],
    [
      'kubectl --namespace gthulhu-node get secrets',
      {
        stdout: JSON.stringify({
          kind: 'List',
          items: [secret('gthulhu-scheduler-key', {}), { metadata: { name: 'other' } }],
        }),
      },
    ],
  ])
  const live = await readSecrets(tools, place, resources)
  assert.deepEqual(live.get('demo/postgres-secret'), { password: 'x' })
  assert.deepEqual(live.get('gthulhu-node/gthulhu-scheduler-key'), {})
  assert.equal(live.get('gthulhu/gthulhu-manager-key'), undefined)
  assert.ok(tools.asked.every((command) => command.secret === true))
  assert.deepEqual(tools.astray(place.kubeconfig), [])
  for (const stdout of [
    '[]',
    '{}',
    'null',
    '{"items":5}',
    '[null]',
    '{"items":[null]}',
    '{"data":{"password":"aHVzaA==',
  ])
    await assert.rejects(
      readSecrets(recordingTools([['kubectl', { stdout }]]), place, resources),
      ({ message }: Error) =>
        /^kubectl (was asked for Secrets|answered with what is no JSON)/.test(message) && !message.includes('aHVz'),
      stdout,
    )
  const silent = recordingTools([['kubectl', { code: 1, stderr: 'connection refused' }]])
  await assert.rejects(
    readSecrets(silent, place, resources),
    /Secrets of namespace .* cannot be read: connection refused/,
  )
})
