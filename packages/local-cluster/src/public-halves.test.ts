import assert from 'node:assert/strict'
import { createPublicKey, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { temporaryFolder } from '@bulkhead/testing'
import { GeneratedSecrets } from './secrets.js'
import { forget } from './state.js'
import { resource } from './testing.js'

const annotation = 'bulkhead.dev/public-half-of'
const secret = (key: string, annotations: Readonly<Record<string, string>>, more: object = {}): Resource => {
  const [namespace = '', name = ''] = key.split('/')
  return resource({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, annotations }, ...more })
}
const owner = secret(
  'gthulhu/manager-key',
  { 'bulkhead.dev/generate-rsa-key': 'private-key.pem', 'bulkhead.dev/generate': 'password' },
  { stringData: { note: 'no key' } },
)
const find = (id: string) => (id === owner.id ? owner : undefined)
const from = 'gthulhu/manager-key/private-key.pem'

test('the public half of a generated key verifies what its private half signs, under the usual key or the one that is named', (t) => {
  const secrets = new GeneratedSecrets(temporaryFolder(t))
  const halves = secrets.of(secret('node/half', { [annotation]: `${from}, other.pem=${from}` }), find)
  assert.deepEqual(Object.keys(halves), ['public-key.pem', 'other.pem'])
  const pem = halves['public-key.pem'] ?? ''
  assert.match(pem, /^-----BEGIN PUBLIC KEY-----\n/)
  assert.equal(halves['other.pem'], pem)
  const signature = sign('sha256', Buffer.from('x'), secrets.of(owner)['private-key.pem'] ?? '')
  assert.ok(verify('sha256', Buffer.from('x'), pem, signature))
})

test('it is the same at each start, and another one with --fresh, together with its private half', (t) => {
  const stateDir = temporaryFolder(t)
  const asked = secret('node/half', { [annotation]: from })
  const both = () => {
    const secrets = new GeneratedSecrets(stateDir)
    // Whichever is asked first makes the pair.
    const { 'public-key.pem': half } = secrets.of(asked, find)
    const own = createPublicKey(secrets.of(owner)['private-key.pem'] ?? '').export({ type: 'spki', format: 'pem' })
    assert.equal(half, own)
    return half
  }
  const first = both()
  assert.equal(both(), first)
  forget(stateDir)
  assert.notEqual(both(), first)
})

test('of a key that its manifest holds, and a value that is written counts', (t) => {
  const secrets = new GeneratedSecrets(temporaryFolder(t))
  const written = secret(
    'gthulhu/manager-key',
    {},
    { stringData: { 'private-key.pem': secrets.of(owner)['private-key.pem'] } },
  )
  const asked = secret('node/half', { [annotation]: from })
  assert.deepEqual(
    secrets.of(asked, () => written),
    secrets.of(asked, find),
  )
  const given = secret('node/half', { [annotation]: from }, { stringData: { 'public-key.pem': 'mine' } })
  assert.deepEqual(secrets.of(given, find), { 'public-key.pem': 'mine' })
})

test('what leads to no key is said, with the line, the annotation and the cause, and never with a value', (t) => {
  const secrets = new GeneratedSecrets(temporaryFolder(t))
  const { password = '' } = secrets.of(owner)
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['gthulhu/manager-key', /"gthulhu\/manager-key" is not \[<key>=\]<namespace>\/<secret>\/<key of the private key>/],
    ['', /"" is not/],
    ['gthulhu/other/private-key.pem', /there is no Secret gthulhu\/other/],
    ['gthulhu/manager-key/key.pem', /has no key "key.pem"; it has password, private-key.pem, note/],
    ['gthulhu/manager-key/toString', /has no key "toString"/],
    ['gthulhu/manager-key/password', /"password" of Secret gthulhu\/manager-key is no private key/],
  ]
  for (const [said, why] of wrong) {
    assert.throws(
      () => secrets.of(secret('node/half', { [annotation]: said }), find),
      ({ code, message }: { code: string; message: string }) => {
        assert.equal(code, 'bad-pod')
        assert.match(message, /^test\.yaml:7: Secret\/node\/half: bulkhead\.dev\/public-half-of: /)
        assert.match(message, why)
        assert.ok(!message.includes(password))
        return true
      },
    )
  }
})
