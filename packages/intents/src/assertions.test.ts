import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { decodeProtectedHeader, SignJWT } from 'jose'
import {
  ASSERTION_SECONDS,
  Assertions,
  CLOCK_TOLERANCE_SECONDS,
  managerTo,
  schedExtOf,
  schedulerOf,
  signStatement,
  verifyStatement,
} from './assertions.js'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicKey = createPublicKey(privateKey)
const NOW = 1_000_000_000_000

const sign = (statement = managerTo('node-1'), now = NOW, seconds = ASSERTION_SECONDS) =>
  signStatement(privateKey, statement, now, seconds)
const verify = (token: string, statement = managerTo('node-1'), now = NOW) =>
  verifyStatement(token, publicKey, statement, { now })

test('an assertion says in the original’s words who the manager is, and to which node', async () => {
  const token = await sign()
  assert.equal(decodeProtectedHeader(token).alg, 'RS256')
  const { iss, sub, aud, exp, nbf, iat, jti } = await verify(token)
  assert.deepEqual([iss, sub, aud], ['bss-api-server', 'manager-client', 'scheduler:node-1'])
  assert.deepEqual([iat, nbf, exp], [NOW / 1000, NOW / 1000, NOW / 1000 + 300])
  assert.match(String(jti), /^[0-9a-f-]{36}$/)
})

test('contract M20: what is said in one direction, of one node, is good for nothing else', async () => {
  const statements = [managerTo, schedulerOf, schedExtOf].flatMap((of) => [of('node-1'), of('node-2')])
  for (const said of statements) {
    const token = await sign(said)
    for (const asked of statements) {
      if (asked === said) await verify(token, asked)
      else await assert.rejects(verify(token, asked), /unexpected "(iss|sub|aud)" claim value/)
    }
  }
})

test('another key, another algorithm, and none at all are refused', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  await assert.rejects(verify(await signStatement(other, managerTo('node-1'), NOW)), /signature verification failed/)
  const [header = '', body = '', signature = ''] = (await sign()).split('.')
  assert.equal(header.length > 0, true)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  await assert.rejects(verify(`${part({ alg: 'none' })}.${body}.`), /alg/i)
  // The public half as the secret of an HMAC, which who takes any algorithm would take.
  const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${body}`
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  const hmac = createHmac('sha256', pem).update(unsigned).digest('base64url')
  await assert.rejects(verify(`${unsigned}.${hmac}`), /alg/i)
  const pss = await new SignJWT({})
    .setProtectedHeader({ alg: 'PS256' })
    .setIssuedAt(NOW / 1000)
    .sign(privateKey)
  await assert.rejects(verify(pss), /alg/i)
  const claims = { ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: 'else' }
  await assert.rejects(verify(`${header}.${part(claims)}.${signature}`), /signature verification failed/)
  for (const garbage of ['', '.', '..', 'a.b.c', 'é'.repeat(1_000), `${header}.${body}`])
    await assert.rejects(verify(garbage), Error)
})

test('before its time, after it, and for longer than any is good: refused, but for what clocks may differ by', async () => {
  const token = await sign()
  const end = NOW + ASSERTION_SECONDS * 1000
  const tolerance = CLOCK_TOLERANCE_SECONDS * 1000
  await verify(token, undefined, NOW - tolerance)
  await verify(token, undefined, end + tolerance - 1000)
  await assert.rejects(verify(token, undefined, NOW - tolerance - 1000), /"(nbf|iat)" claim timestamp check failed/)
  await assert.rejects(verify(token, undefined, end + tolerance + 1000), /"exp" claim timestamp check failed/)
  const eternal = await sign(managerTo('node-1'), NOW, 1_000_000)
  await verify(eternal)
  await assert.rejects(verify(eternal, undefined, end + tolerance + 1000), /too far in the past/)
})

test('a claim that is missing, and an audience beside the right one, are refused', async () => {
  const full = { iat: NOW / 1000, nbf: NOW / 1000, exp: NOW / 1000 + 300, jti: 'x' }
  const { issuer: iss, subject: sub, audience: aud } = managerTo('node-1')
  const whole = { ...full, iss, sub, aud }
  const made = (claims: object) => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
  await verify(await made(whole))
  for (const claim of Object.keys(whole)) {
    const { [claim as keyof typeof whole]: _, ...rest } = whole
    await assert.rejects(verify(await made(rest)), new RegExp(`"${claim}"`), claim)
  }
  await assert.rejects(verify(await made({ ...whole, aud: [aud, 'scheduler:node-2'] })), /aud/)
})

test('contract M18: an assertion is made once and used until a minute before its end; each node has its own', async () => {
  let now = NOW
  const assertions = new Assertions(privateKey, managerTo, () => now)
  const first = await assertions.for('a')
  now += 239_000
  assert.equal(await assertions.for('a'), first)
  assert.notEqual(await assertions.for('b'), first)
  now += 1_000
  const second = await assertions.for('a')
  assert.notEqual(second, first)
  await verify(second, managerTo('a'), now)
})

test('a clock that is set back: what was signed before is of the future by then, and is not shown any more', async () => {
  let now = NOW
  const assertions = new Assertions(privateKey, managerTo, () => now)
  const early = await assertions.for('a')
  now -= 3_600_000
  await assert.rejects(verify(early, managerTo('a'), now), /"nbf"|"iat"/)
  await verify(await assertions.for('a'), managerTo('a'), now)
})
