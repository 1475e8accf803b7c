import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { GeneratedSecrets } from './secrets.js'
import { forget } from './state.js'
import { resource } from './testing.js'

const secret = (generate: string, more: object = {}) =>
  resource({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'postgres-secret', namespace: 'demo', annotations: { 'bulkhead.dev/generate': generate } },
    stringData: { username: 'hello' },
    ...more,
  })

test('a value that is asked for is made once, kept for its owner alone, and the same for everyone and at each start', (t) => {
  const stateDir = temporaryFolder(t)
  const first = new GeneratedSecrets(stateDir)
  const values = first.of(secret('password, token'))
  assert.equal(values.username, 'hello')
  assert.match(values.password ?? '', /^[A-Za-z0-9]{32}$/)
  assert.notEqual(values.password, values.token)
  assert.deepEqual(first.of(secret('password, token')), values)
  assert.deepEqual(new GeneratedSecrets(stateDir).of(secret('password,token')), values)
  const file = join(stateDir, 'secrets/demo/postgres-secret.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(stateDir, 'secrets/demo')).mode & 0o777, 0o700)
  // A key that is asked for later leaves the others as they are.
  const more = new GeneratedSecrets(stateDir).of(secret('password,token,other'))
  assert.deepEqual({ ...more, other: undefined }, { ...values, other: undefined })
  forget(stateDir)
  assert.notEqual(new GeneratedSecrets(stateDir).of(secret('password')).password, values.password)
})

test('what the manifest gives counts, and what nobody asks for is not made', (t) => {
  const stateDir = temporaryFolder(t)
  const secrets = new GeneratedSecrets(stateDir)
  const given = secret('password', { data: { password: Buffer.from('mine').toString('base64') } })
  assert.equal(secrets.of(given).password, 'mine')
  assert.deepEqual(secrets.of(secret('')), { username: 'hello' })
  assert.throws(() => statSync(join(stateDir, 'secrets')), { code: 'ENOENT' })
})

const annotated = (annotations: Readonly<Record<string, string>>, more: object = {}) =>
  resource({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'gthulhu-manager-key', namespace: 'gthulhu', annotations },
    ...more,
  })

test('a private key that is asked for is an RSA key of 2048 bits in PKCS#8, kept as the others are', (t) => {
  const stateDir = temporaryFolder(t)
  const asked = annotated({ 'bulkhead.dev/generate-rsa-key': 'private-key.pem', 'bulkhead.dev/generate': 'password' })
  const values = new GeneratedSecrets(stateDir).of(asked)
  const pem = values['private-key.pem'] ?? ''
  assert.match(pem, /^-----BEGIN PRIVATE KEY-----\n/)
  const key = createPrivateKey(pem)
  assert.deepEqual([key.asymmetricKeyType, key.asymmetricKeyDetails?.modulusLength], ['rsa', 2048])
  assert.match(values.password ?? '', /^[A-Za-z0-9]{32}$/)
  assert.deepEqual(new GeneratedSecrets(stateDir).of(asked), values)
  assert.equal(statSync(join(stateDir, 'secrets/gthulhu/gthulhu-manager-key.json')).mode & 0o777, 0o600)
  const given = annotated(
    { 'bulkhead.dev/generate-rsa-key': 'private-key.pem' },
    { stringData: { 'private-key.pem': 'mine' } },
  )
  assert.deepEqual(new GeneratedSecrets(stateDir).of(given), { 'private-key.pem': 'mine' })
})

test('what a person has to know is told once, to the first who asks, when it is made and never again', (t) => {
  const stateDir = temporaryFolder(t)
  const annotations = { 'bulkhead.dev/generate': 'password', 'bulkhead.dev/tell-once': 'username, password' }
  const asked = annotated(annotations, { stringData: { username: 'admin@example.com' } })
  const secrets = new GeneratedSecrets(stateDir)
  assert.deepEqual(secrets.takeUntold(), [])
  const { password = '' } = secrets.of(asked)
  secrets.of(asked)
  secrets.of(secret('password'))
  assert.deepEqual(secrets.takeUntold(), [
    {
      secret: 'gthulhu/gthulhu-manager-key',
      values: [
        { key: 'username', value: 'admin@example.com' },
        { key: 'password', value: password },
      ],
      file: join(stateDir, 'secrets/gthulhu/gthulhu-manager-key.json'),
    },
  ])
  assert.deepEqual(secrets.takeUntold(), [])
  const again = new GeneratedSecrets(stateDir)
  assert.equal(again.of(asked).password, password)
  assert.deepEqual(again.takeUntold(), [])
})

test('a lost file beside data that is still there is told, with what to do', (t) => {
  const stateDir = temporaryFolder(t)
  const notes: string[] = []
  const made = () => new GeneratedSecrets(stateDir, (text) => notes.push(text)).of(secret('password'))
  mkdirSync(join(stateDir, 'data/demo/empty'), { recursive: true })
  made()
  assert.deepEqual(notes, [])
  mkdirSync(join(stateDir, 'data/demo/postgres-data/18'), { recursive: true })
  made()
  assert.deepEqual(notes, [])
  writeFileSync(join(stateDir, 'secrets/demo/postgres-secret.json'), '{}')
  const { password } = made()
  assert.match(
    notes.join('\n'),
    /^values for Secret demo\/postgres-secret were made anew.*\(postgres-data\).*up --fresh/,
  )
  assert.ok(!notes.join('\n').includes(password ?? '?'))
})

test('a file that is no secret of ours stops the start: a new value would shut out the data', (t) => {
  const stateDir = temporaryFolder(t)
  const file = join(stateDir, 'secrets/demo/postgres-secret.json')
  mkdirSync(join(stateDir, 'secrets/demo'), { recursive: true })
  for (const text of ['{"password": "x"', '[]', '{"password": 1}', 'null']) {
    writeFileSync(file, text)
    assert.throws(() => new GeneratedSecrets(stateDir).of(secret('password')), {
      code: 'state-dir',
      message: /cannot be read .*--fresh/,
    })
    assert.equal(readFileSync(file, 'utf8'), text)
  }
})
