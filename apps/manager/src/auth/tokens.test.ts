import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { AUDIENCE, createTokens, ISSUER, TOKEN_SECONDS } from './tokens.js'

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const { privateKey, publicKey } = pair()
const claims = { uid: '0123456789abcdef01234567', needChangePassword: true, tv: 4 }

let clock = Date.UTC(2026, 0, 1)
const tokens = createTokens(privateKey, () => clock)

const refused = (token: string) => assert.rejects(tokens.verify(token), { code: 'TOKEN_INVALID', status: 401 })

/** A token that is right in everything but what is changed. */
const other = (
  change: (token: SignJWT) => SignJWT,
  body: object = claims,
  key: KeyObject = privateKey,
  alg = 'RS256',
) => {
  const at = Math.floor(clock / 1000)
  return change(
    new SignJWT({ ...body })
      .setProtectedHeader({ alg })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(claims.uid)
      .setIssuedAt(at)
      .setNotBefore(at)
      .setExpirationTime(at + 60),
  ).sign(key)
}

test('1.3 login token: RS256, uid, needChangePassword, iss, sub, and exp = iat + 10800, in seconds', async () => {
  const token = await tokens.sign(claims)
  const iat = clock / 1000
  assert.deepEqual(decodeProtectedHeader(token), { alg: 'RS256', typ: 'JWT' })
  const { jti, ...said } = decodeJwt(token)
  assert.deepEqual(said, {
    ...claims,
    iss: 'bss-api-server',
    sub: claims.uid,
    aud: AUDIENCE,
    iat,
    nbf: iat,
    exp: iat + 10_800,
  })
  assert.deepEqual(await tokens.verify(token), { ...claims, session: { id: jti, until: iat + 10_800 } })
  assert.notEqual(decodeJwt(await tokens.sign(claims)).jti, jti, 'each login has a name of its own')
})

test('M1 an expired or not yet valid token is refused like all others, a little apart from its edge', async () => {
  const token = await tokens.sign(claims)
  const madeAt = clock
  const { session: _, ...known } = await tokens.verify(token)
  assert.deepEqual(known, claims)
  try {
    clock = madeAt + (TOKEN_SECONDS + 4) * 1000
    await tokens.verify(token)
    clock = madeAt + (TOKEN_SECONDS + 6) * 1000
    await refused(token)
    clock = madeAt - 10_000
    await refused(token)
  } finally {
    clock = madeAt
  }
})

test('M1, M20 what is not signed by this key, for this audience, by this issuer, in this way, is refused', async () => {
  assert.deepEqual(await tokens.verify(await other((token) => token)), claims, 'the way of making them is right')
  await refused(await other((token) => token.setAudience('scheduler:worker-1')))
  await refused(await other((token) => token.setIssuer('somebody')))
  await refused(await other((token) => token, claims, privateKey, 'RS512'))
  await refused(await other((token) => token, claims, pair().privateKey))
  const good = await tokens.sign(claims)
  const [head = '', body = '', signature = ''] = good.split('.')
  for (const broken of ['', 'x', '...', `${head}.${body}.`, `${head}.${body}`, `${good}x`, `${head}.e30.${signature}`])
    await refused(broken)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  await refused(`${encode({ alg: 'none' })}.${body}.`)
  // The public key as the secret of an HMAC: the classic confusion of algorithms.
  const confused = `${encode({ alg: 'HS256' })}.${body}`
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  await refused(`${confused}.${createHmac('sha256', pem).update(confused).digest('base64url')}`)
})

test('1.3 a signed token with claims that are none of ours (a uid that is no ObjectID) is 401, not 500', async () => {
  for (const change of [
    { uid: 'admin' },
    { uid: { $ne: '' } },
    { uid: 'ffffffffffffffffffffffff' },
    { tv: '4' },
    { tv: 1.5 },
    { tv: undefined },
    { needChangePassword: 'no' },
  ])
    await refused(await other((token) => token, { ...claims, ...change }))
  const at = Math.floor(clock / 1000)
  const noEnd = new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(claims.uid)
    .setIssuedAt(at)
    .setNotBefore(at)
  await refused(await noEnd.sign(privateKey))
})

test('whose token it was is known after its end, too; of one that is forged, nothing', async () => {
  const token = await tokens.sign(claims)
  const madeAt = clock
  try {
    clock = madeAt + 1000 * TOKEN_SECONDS * 1000
    assert.equal(await tokens.ownerOf(token), claims.uid)
  } finally {
    clock = madeAt
  }
  for (const forged of ['', 'a.b.c', `${token}x`, await other((t) => t, claims, pair().privateKey)])
    assert.equal(await tokens.ownerOf(forged), undefined)
})
