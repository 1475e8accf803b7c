import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Route } from '../http/route.js'
import { fieldsOf, nameOf, pathOf } from './testing/hostile/fields.js'
import { sharedTarget, type Target } from './testing/hostile/target.js'
import { nested } from './testing/hostile/values.js'

/* What is wrong with a request beside the values of its fields: the body as a whole, the query, the path; of every route that has it. */

const LIMIT = 64 * 1024

/** Of the texts, each field of a query has a third in each run, another third for the next one; all of them with BULKHEAD_LONG=1. */
const SHARE = process.env.BULKHEAD_LONG === '1' ? 1 : 3

const shared = sharedTarget()

/** Texts of a query or a path, as they are sent. */
const sent: Readonly<Record<string, string>> = {
  empty: '',
  blank: '%20',
  plus: '+',
  NUL: '%00',
  newline: '%0A',
  'header injection': '%0D%0AX-Evil:%201',
  'bad percent': '%',
  'half a percent': '%4',
  'no UTF-8': '%ff%fe',
  'overlong UTF-8': '%c0%af',
  'surrogate in UTF-8': '%ed%a0%80',
  'right-to-left override': '%e2%80%ae',
  ligature: '%ef%ac%80',
  emoji: '%f0%9f%98%80',
  'path above': '..%2f..%2fetc%2fpasswd',
  'path above, twice encoded': '%252e%252e%252f',
  backslashes: '..%5c..%5c',
  $where: '%24where',
  operator: '%7B%22%24gt%22%3A%22%22%7D',
  __proto__: '__proto__',
  constructor: 'constructor',
  '-1': '-1',
  0: '0',
  '1.5': '1.5',
  '1e3': '1e3',
  '0x10': '0x10',
  NaN: 'NaN',
  Infinity: 'Infinity',
  '2^31': '2147483648',
  '2^53': '9007199254740993',
  '2^64': '18446744073709551616',
  '23 digits and a newline': '0123456789abcdef0123456%0A',
  regex: '(a%2B)%2B%24',
  long: 'x'.repeat(4_000),
}

const bodies: Readonly<Record<string, string | Buffer>> = {
  nothing: '',
  blanks: '   ',
  'an unclosed object': '{',
  'half a member': '{"a":',
  'no JSON': 'no JSON',
  'single quotes': "{'a':1}",
  'a form': 'username=x&password=y',
  XML: '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
  'a byte order mark in the middle': '{\ufeff}',
  'no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'UTF-16': Buffer.from('{"a":1}', 'utf16le'),
  'a NUL': '\u0000',
  'arrays, 30,000 deep': nested('[', ']', 30_000),
  'objects, 9,000 deep and not closed': nested('{"a":', '', 9_000, '1'),
  'a list': '[]',
  'a list of good ones': '[{"username":"x","password":"a long password"}]',
  'a text': '"text"',
  'a number': '1e999',
  true: 'true',
}

const withBody = ({ routes }: Target): readonly Route[] => routes.filter(({ body }) => body !== undefined)

test('a body that is none: 400 or 422, and nothing is stored', async () => {
  const its = await shared()
  const before = await its.stored()
  for (const { method, path, operationId } of withBody(its)) {
    for (const [name, body] of Object.entries(bodies)) {
      const { status, code, text } = await its.ask({ method, path, body })
      assert.deepEqual([status, code], [400, 'INVALID_BODY'], `${operationId}, ${name}: ${text}`)
    }
    for (const body of ['null', '{}', '{"__proto__":{"username":"x"},"constructor":1,"$where":"1","a.b":1}']) {
      const { status, fields, text } = await its.ask({ method, path, body })
      const what = `${operationId} ${body}: ${text}`
      assert.ok([400, 422].includes(status), what)
      assert.ok(fields.length > 0, what)
    }
  }
  assert.equal(await its.stored(), before)
})

test('a body that is too large, or in another coding: 413 and 415, whatever is in it, and nothing is stored', async () => {
  const its = await shared()
  const before = await its.stored()
  for (const { method, path, operationId } of withBody(its)) {
    const good = JSON.stringify(its.good[operationId])
    for (const body of [good.padEnd(LIMIT + 1), `"${'x'.repeat(1_000_000)}"`, '['.repeat(LIMIT + 1)]) {
      const { status, code } = await its.ask({ method, path, body })
      assert.deepEqual([status, code], [413, 'BODY_TOO_LARGE'], operationId)
    }
    for (const coding of ['gzip', 'br', 'deflate, gzip', 'nothing']) {
      const { status, code } = await its.ask({ method, path, headers: { 'content-encoding': coding }, body: good })
      assert.deepEqual([status, code], [415, 'UNSUPPORTED_MEDIA_TYPE'], `${operationId} ${coding}`)
    }
  }
  assert.equal(await its.stored(), before)
})

test('what is taken, oddly as it is written: a body of just the limit, of any type, with what the contract passes over', async () => {
  const { ask, manager } = await shared()
  const body = (name: string) => JSON.stringify({ name })
  const written: Readonly<Record<string, { readonly body: string; readonly headers?: Record<string, string> }>> = {
    'as long as may be': { body: body('as long as may be').padEnd(LIMIT) },
    'of another type': { body: body('of another type'), headers: { 'content-type': 'image/png' } },
    'of a broken type': { body: body('of a broken type'), headers: { 'content-type': ';;;=' } },
    'first of two': { body: `${body('first of two')}${body('second of two')}` },
    'and then some': { body: `${body('and then some')}]]}} \u0000 garbage` },
    'the last of its name': { body: '{"name":"the first of its name","name":"the last of its name"}' },
    'escaped as it may be': { body: '{"\\u006eame":"escaped \\u0061s it may be"}' },
    'with unknown members': {
      body: '{"name":"with unknown members","$where":1,"__proto__":{"name":"x"},"a.b":{},"policies":[{"permissionKey":1}]}',
    },
    'with nulls': { body: '{"name":"with nulls","description":null,"rolePolicies":null}' },
  }
  for (const [name, asked] of Object.entries(written)) {
    const { status, text } = await ask({ method: 'POST', path: '/api/v1/roles', ...asked })
    assert.equal(status, 200, `${name}: ${text}`)
    const stored = await manager.store.roles.findOne({ name })
    assert.deepEqual([stored?.description, stored?.policies], ['', []], name)
    assert.ok(!('$where' in (stored ?? {})) && !('a.b' in (stored ?? {})), name)
  }
  assert.equal(
    await manager.store.roles.countDocuments({ name: { $in: ['second of two', 'the first of its name', 'x'] } }),
    0,
  )
})

test('any text in any field of any query: an answer, or 422 that names the field', async () => {
  const its = await shared()
  const before = await its.stored()
  let number = 0
  for (const { method, path, query, operationId } of its.routes) {
    for (const name of fieldsOf(query).map(nameOf)) {
      const mine = ++number % SHARE
      const all = [
        ...Object.values(sent).map((value) => `${name}=${value}`),
        ...[
          `${name}=1&${name}=2`,
          `${name}[]=1`,
          `${name}[$ne]=1`,
          `${name}[0]=1`,
          `${name}.x=1`,
          `${name}%00=1`,
          name,
        ],
      ]
      for (const one of all.filter((_, index) => index % SHARE === mine)) {
        const { status, code, fields, text } = await its.ask({ method, path: `${path}?${one}` })
        const what = `${operationId}?${one.slice(0, 100)}: ${text}`
        if (status === 200) continue
        assert.deepEqual([status, code], [422, 'VALIDATION_FAILED'], what)
        assert.ok(
          fields.some(({ field }) => field.startsWith(name)),
          what,
        )
      }
    }
  }
  for (const one of [
    '__proto__[limit]=1',
    '__proto__=x',
    'constructor=1',
    'toString=1',
    '$where=1',
    '=',
    '&&&',
    '%',
    `${'a&'.repeat(3_000)}`,
  ])
    assert.equal((await its.ask({ method: 'GET', path: `/api/v1/users?${one}` })).status, 200, one)
  assert.equal(await its.stored(), before)
})

test('any text in any parameter of any path: a 4xx of the contract, and nothing is changed', async () => {
  const its = await shared()
  const before = await its.stored()
  for (const route of its.routes.filter(({ params }) => params !== undefined)) {
    for (const [name, value] of Object.entries(sent)) {
      const body = route.body === undefined ? {} : { body: JSON.stringify(its.good[route.operationId]) }
      const { status, code, text } = await its.ask({ method: route.method, path: pathOf(route, value), ...body })
      const what = `${route.operationId}, ${name}: ${text}`
      assert.ok([400, 404, 405, 422].includes(status), what)
      if (status === 400) assert.ok(['MALFORMED_PATH', 'NODE_ID_REQUIRED'].includes(String(code)), what)
    }
  }
  assert.equal(await its.stored(), before)
})
