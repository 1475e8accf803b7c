import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedTarget } from './testing/hostile/target.js'
import { nested } from './testing/hostile/values.js'

/* What is wrong with a request's headers, at every route that reads them. */

const shared = sharedTarget()

const latin = (text: string): string => Buffer.from(text).toString('latin1')

test('any If-Match and any Idempotency-Key: 400 for what is none, and nothing is done', async () => {
  const its = await shared()
  const before = await its.stored()
  const tags = [
    '7',
    '"x"',
    'W/"1"',
    '"1", "2"',
    '"-1"',
    '"1e3"',
    '"1.0"',
    '"0x1"',
    '""',
    '"',
    '"99999999999"',
    '"\t1"',
    latin('"é"'),
    '{"$gt":0}',
    '*, "1"',
    `"${'9'.repeat(4_000)}"`,
  ]
  const keys = ['a b', '\t', latin('é'), latin('\u202e'), 'x'.repeat(129), 'x'.repeat(4_000)]
  for (const { method, path, operationId, ifMatch, idempotent, params, body } of its.routes) {
    const url = params === undefined ? path : path.replace(/\{\w+\}/g, '0123456789abcdef01234567')
    const sent = body === undefined ? {} : { body: JSON.stringify(its.good[operationId]) }
    const wrong = [
      ...(ifMatch ? tags.map((value) => ({ 'if-match': value })) : []),
      ...(idempotent ? keys.map((value) => ({ 'idempotency-key': value })) : []),
    ]
    for (const headers of wrong) {
      const { status, code, text } = await its.ask({ method, path: url, headers, ...sent })
      assert.deepEqual(
        [status, code],
        [400, 'INVALID_HEADER'],
        `${operationId} ${JSON.stringify(headers).slice(0, 99)}: ${text}`,
      )
    }
  }
  assert.equal(await its.stored(), before)
})

test('any Authorization, at any route that wants one: 401, before anything else is looked at', async () => {
  const its = await shared()
  const before = await its.stored()
  const { token } = its.manager.admin
  const [head = '', claims = '', signature = ''] = token.split('.')
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const read = JSON.parse(Buffer.from(claims, 'base64url').toString())
  const malformed = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    `bearer ${token}`,
    `BEARER ${token}`,
    `Basic ${btoa('admin:x')}`,
    token,
    `Bearer\t${token}`,
  ]
  const invalid = [
    ...[
      'x',
      '..',
      '...',
      `${token}.`,
      `${token}x`,
      `${token} x`,
      `${token},${token}`,
      `${head}.${claims}.`,
      latin('é.é.é'),
    ],
    ...[{ alg: 'none' }, { alg: 'HS256' }, { alg: 'RS256', crit: ['x'], x: 1 }, { alg: 'RS512' }, null, 'RS256'].map(
      (each) => `${part(each)}.${claims}.${signature}`,
    ),
    ...[{ ...read, uid: { $gt: '' } }, { ...read, exp: '9'.repeat(400) }, [], null].map(
      (each) => `${head}.${part(each)}.${signature}`,
    ),
    'x'.repeat(8_000),
    `${head}.${part({ a: nested('[', ']', 1_000) })}.${signature}`,
  ]
  for (const { method, path, operationId, permission } of its.routes) {
    if (permission === 'none') continue
    const url = path.replace(/\{\w+\}/g, 'x')
    const ask = async (authorization: string) => (await its.ask({ method, path: url, headers: { authorization } })).code
    for (const value of malformed) {
      const code = value.trim() === '' ? 'AUTHORIZATION_MISSING' : 'AUTHORIZATION_MALFORMED'
      assert.equal(await ask(value), code, `${operationId} ${value.slice(0, 60)}`)
    }
    // A token is judged in one place: every route asks it, and one tells all of them.
    const some = operationId === 'getSelf' ? invalid : invalid.slice(0, 1)
    for (const value of some)
      assert.equal(await ask(`Bearer ${value}`), 'TOKEN_INVALID', `${operationId} ${value.slice(0, 60)}`)
  }
  assert.equal(await its.stored(), before)
})

test('any X-Request-ID is used only when it is harmless', async () => {
  const { service } = await shared()
  for (const id of ['<script>', 'a b', 'x'.repeat(200), latin('é'), '"', '%0a']) {
    const { headers } = await service.ask({ method: 'GET', path: '/version', headers: { 'x-request-id': id } })
    assert.match(String(headers['x-request-id']), /^[0-9a-f]{32}$/, id)
  }
})
