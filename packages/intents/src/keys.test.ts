import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readPrivateKey, readPublicKey } from './keys.js'

const rsa = (modulusLength: number) =>
  generateKeyPairSync('rsa', {
    modulusLength,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })

test('keys are RSA, of 2048 bits or more, and each in its place', () => {
  const { privateKey, publicKey } = rsa(2048)
  assert.equal(readPrivateKey(privateKey).type, 'private')
  assert.equal(readPublicKey(publicKey).type, 'public')
  assert.throws(() => readPublicKey(privateKey), /it is a private key; give the public half alone/)
  assert.throws(() => readPrivateKey(publicKey), /must be a private key/)
  for (const garbage of ['', 'x', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n']) {
    assert.throws(() => readPublicKey(garbage), RangeError)
    assert.throws(() => readPrivateKey(garbage), RangeError)
  }
  const short = rsa(1024)
  assert.throws(() => readPrivateKey(short.privateKey), /at least 2048 bits, and has 1024/)
  assert.throws(() => readPublicKey(short.publicKey), /at least 2048 bits, and has 1024/)
  const curve = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' })
  assert.throws(() => readPublicKey(String(curve)), /must be an RSA key, and is one of ed25519/)
})
