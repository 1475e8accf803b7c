import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { secrets } from './secrets.js'
import { status } from './status.js'
import { reader, recorded, type Table } from './testing.js'

const ours: Table = [
  ['kind get clusters', { stdout: 'bulkhead\n' }],
  ['kubectl config view', { stdout: 'https://127.0.0.1:40123' }],
  ['kubectl get namespace kube-system', { stdout: 'the-uid' }],
  [/^docker container inspect .*\.Ports "6443\/tcp"/, { stdout: '127.0.0.1 40123\n\n' }],
  ['docker container inspect', { stdout: 'c0ffee' }],
  [/^kubectl --namespace \S+ get secrets/, {}],
]

test('secrets: of a cluster that was made by hand, manifests on stdout and no value on stderr', async (t) => {
  const given = recorded(t, () => ours)
  mkdirSync(given.place.folder, { recursive: true })
  writeFileSync(given.place.kubeconfig, '')
  const { io, stdout, stderr } = reader()
  await secrets({}, io, given)
  const made = stdout()
    .split('---\n')
    .slice(1)
    .map((text) => JSON.parse(text) as { readonly data: Readonly<Record<string, string>> })
  assert.equal(made.length, 9)
  assert.match(stderr(), /counts as ours\.\n.*Values were made for demo\/postgres-secret/s)
  // What the files have is no secret, and is part of the names that are told.
  const inFiles = new Set(['username', 'database'])
  const values = made.flatMap(({ data }) => Object.entries(data)).filter(([key]) => !inFiles.has(key))
  assert.equal(values.length, 9)
  for (const [, value] of values) assert.ok(!stderr().includes(Buffer.from(value, 'base64').toString()))
  const again = reader()
  await secrets({}, again.io, given)
  assert.doesNotMatch(again.stderr(), /by hand/)
})

test('secrets: not on a terminal, and not of a cluster that is not there', async (t) => {
  const given = recorded(t, () => ours)
  const { io } = reader()
  Object.assign(io.stdout, { isTTY: true })
  await assert.rejects(secrets({}, io, given), /your terminal keeps what it shows/)
  assert.deepEqual(given.tools.asked, [])
  await assert.rejects(secrets({}, reader().io, given), { code: 'none' })
  assert.ok(!existsSync(given.place.record))
})

test('status: there is none of ours', async (t) => {
  const given = recorded(t, () => ours)
  await assert.rejects(status({ json: true }, reader().io, given), {
    code: 'none',
    message: 'there is no cluster of ours. `npx bulkhead cluster up` makes one.',
  })
})
