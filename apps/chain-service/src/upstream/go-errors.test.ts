import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goError } from './go-errors.js'

const ENDS = { local: '10.244.1.2:40000', remote: '10.244.2.3:8080' }
const fail = (fields: Record<string, unknown>): Error => Object.assign(new Error('in our words'), fields)

/** Node's or undici's error, and Go's words for it. */
const ROWS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nobody' }, 'dial tcp: lookup nobody: no such host'],
  [
    { code: 'EAI_AGAIN', syscall: 'getaddrinfo' },
    'dial tcp: lookup recommendation: Temporary failure in name resolution',
  ],
  [
    { code: 'ECONNREFUSED', syscall: 'connect', address: '10.0.0.1', port: 80 },
    'dial tcp 10.0.0.1:80: connect: connection refused',
  ],
  [
    { code: 'EHOSTUNREACH', syscall: 'connect', address: '10.0.0.1', port: 80 },
    'dial tcp 10.0.0.1:80: connect: no route to host',
  ],
  [
    { code: 'ETIMEDOUT', syscall: 'connect', address: '10.0.0.1', port: 80 },
    'dial tcp 10.0.0.1:80: connect: connection timed out',
  ],
  [{ code: 'UND_ERR_CONNECT_TIMEOUT' }, 'dial tcp recommendation:8080: i/o timeout'],
  [
    { code: 'ECONNRESET', syscall: 'read' },
    'read tcp 10.244.1.2:40000->10.244.2.3:8080: read: connection reset by peer',
  ],
  [{ code: 'EPIPE', syscall: 'write' }, 'write tcp 10.244.1.2:40000->10.244.2.3:8080: write: broken pipe'],
  [{ code: 'UND_ERR_SOCKET' }, 'EOF'],
  [{ name: 'HTTPParserError' }, 'net/http: HTTP/1.x transport connection broken: malformed HTTP response'],
  [{ code: 'SOMETHING_NEW' }, 'in our words'],
]

for (const [fields, words] of ROWS) {
  test(words, () => assert.equal(goError(fail(fields), 'recommendation:8080', ENDS, false), words))
}

test('of several addresses that were tried, the last one is told', () => {
  const errors = ['::1', '127.0.0.1'].map((address) =>
    fail({ code: 'ECONNREFUSED', syscall: 'connect', address, port: 80 }),
  )
  assert.equal(
    goError(new AggregateError(errors), 'localhost:80', undefined, false),
    'dial tcp 127.0.0.1:80: connect: connection refused',
  )
})

test('an end in the middle of a body is an unexpected one', () => {
  assert.equal(goError(fail({ code: 'UND_ERR_SOCKET' }), 'h:1', ENDS, true), 'unexpected EOF')
})
