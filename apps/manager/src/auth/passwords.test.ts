import assert from 'node:assert/strict'
import { test } from 'node:test'
import { argon, createPasswords } from './passwords.js'

const PHC = /^\$argon2id\$v=19\$m=16384,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/

test('1.4 a PHC string with the exact parameters, 16 bytes of salt and 32 of hash, unpadded base64; each with its own salt', async () => {
  const passwords = createPasswords()
  const [one, two] = [await passwords.hash('correct horse'), await passwords.hash('correct horse')]
  assert.match(one, PHC)
  assert.match(two, PHC)
  assert.notEqual(one, two)
  assert.equal(await passwords.verify(one, 'correct horse'), true)
  assert.equal(await passwords.verify(one, 'correct horsf'), false)
})

test('M8 a password that looks like a PHC string is hashed like all others', async () => {
  const passwords = createPasswords()
  const sly = '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$4RXcVy3Bqi7rZVGnBsPOvA'
  const phc = await passwords.hash(sly)
  assert.match(phc, PHC)
  assert.notEqual(phc, sly)
  assert.equal(await passwords.verify(phc, sly), true)
})

test('the same letters in another normal form are the same password', async () => {
  const passwords = createPasswords()
  const phc = await passwords.hash('pa\u0301ssword-e\u0301')
  assert.equal(await passwords.verify(phc, 'p\u00e1ssword-\u00e9'), true)
  assert.equal(await passwords.verify(phc, 'password-e'), false)
})

test('M5 for nobody the same work is done as for somebody: one comparison against a hash of the same parameters', async () => {
  const compared: string[] = []
  const passwords = createPasswords({
    hash: argon.hash,
    verify: (phc, password) => {
      compared.push(phc)
      return argon.verify(phc, password)
    },
  })
  const somebody = await passwords.hash('the right one')
  assert.equal(await passwords.verify(somebody, 'a wrong one'), false)
  assert.equal(await passwords.verify(undefined, 'a wrong one'), false)
  assert.equal(await passwords.verify(undefined, 'another'), false)
  assert.equal(compared.length, 3)
  for (const phc of compared) assert.match(phc, PHC)
  assert.equal(compared[1], compared[2], 'the hash of nobody is made once')
})

test('even a comparison that says yes lets nobody in', async () => {
  const passwords = createPasswords({ hash: async () => 'x', verify: async () => true })
  assert.equal(await passwords.verify(undefined, 'whatever'), false)
  assert.equal(await passwords.verify('x', 'whatever'), true)
})
