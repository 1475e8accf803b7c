import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { parseManifests } from './parse.js'
import { generatorsOf, keysIn, publicHalves, SecretError, valuesMade, writtenTexts } from './secrets.js'

const secret = (annotations: Readonly<Record<string, string>>, more: object = {}) => {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n', annotations }, ...more }
  const [read] = parseManifests(JSON.stringify(object), 's.yaml').resources
  assert.ok(read)
  return read
}

test('what is to be made: the keys that are asked for and not given, each time anew', () => {
  const asked = secret(
    { 'bulkhead.dev/generate': 'password, given', 'bulkhead.dev/generate-rsa-key': 'key.pem' },
    { stringData: { given: 'mine' }, data: { other: 'eA==' } },
  )
  assert.deepEqual(writtenTexts(asked), { other: 'x', given: 'mine' })
  const made = generatorsOf(asked)
  assert.deepEqual(
    made.map(({ key }) => key),
    ['password', 'key.pem'],
  )
  assert.match(made[0]?.make() ?? '', /^[A-Za-z0-9]{32}$/)
  assert.notEqual(made[0]?.make(), made[0]?.make())
  assert.equal(createPrivateKey(made[1]?.make() ?? '').asymmetricKeyType, 'rsa')
})

test('which objects have values that are made', () => {
  assert.ok(valuesMade(secret({ 'bulkhead.dev/generate': 'a' })))
  assert.ok(valuesMade(secret({ 'bulkhead.dev/public-half-of': 'n/s/key.pem' })))
  assert.ok(!valuesMade(secret({ 'bulkhead.dev/tell-once': 'a' })))
  assert.deepEqual(keysIn(secret({ x: ' a,,b , ' }), 'x'), ['a', 'b'])
})

test('a public half of what is no private key is told without its value', () => {
  const asked = secret({ 'bulkhead.dev/public-half-of': 'n/s/key.pem' })
  const wrong = (error: unknown) =>
    error instanceof SecretError &&
    /^s\.yaml:1: Secret\/n\/s: .*no private key/.test(error.message) &&
    !error.message.includes('hush')
  assert.throws(() => publicHalves(asked, () => ({ 'key.pem': 'hush' })), wrong)
})
