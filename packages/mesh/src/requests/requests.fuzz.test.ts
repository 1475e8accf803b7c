import assert from 'node:assert/strict'
import { it } from 'node:test'
import { eventually } from '@bulkhead/testing'
import fc from 'fast-check'
import { serve } from '../testing/http.js'
import { answersIn, asks, dial, exchange, podOf, start, withPolicies } from './testing.js'

/* Whatever a client sends where one request is listed, no other request reaches the app. */

const listed = withPolicies({
  spec: {
    endpointSelector: { matchLabels: { app: 'echo' } },
    ingress: [
      {
        fromEntities: ['all'],
        toPorts: [
          { ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ method: 'GET|POST', path: '/open' }] } },
        ],
      },
    ],
  },
})

const line = fc.constantFrom(
  'GET /open HTTP/1.1',
  'POST /open HTTP/1.1',
  'GET /shut HTTP/1.1',
  'GET  /open HTTP/1.1',
  'GET /open/../shut HTTP/1.1',
  'GET http://other/shut HTTP/1.1',
  'GET /shut HTTP/1.0',
  'OPTIONS * HTTP/1.1',
  'GET\t/shut\tHTTP/1.1',
)
const header = fc.constantFrom(
  'host: echo',
  'Host : echo',
  'content-length: 5',
  'Content-Length: +5',
  'content-length: 0',
  'transfer-encoding: chunked',
  'Transfer-Encoding: xchunked',
  'transfer-encoding : chunked',
  'connection: keep-alive, content-length',
  'connection: host',
  'upgrade: h2c',
  'expect: 100-continue',
  ' folded',
  'x: \0',
)
const rest = fc.constantFrom(
  '',
  'hello',
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;x=y\nhello\n0\n\n',
  'GET /shut HTTP/1.1\r\nhost: echo\r\n\r\n',
  '0\r\n\r\nGET /shut HTTP/1.1\r\nhost: echo\r\n\r\n',
)
const odd = fc
  .tuple(line, fc.array(header, { maxLength: 4 }), fc.constantFrom('\r\n', '\n'), rest)
  .map(([first, headers, end, body]) => [first, ...headers, '', body].join(end))
const proper = fc.constantFrom(
  'GET /open HTTP/1.1\r\nhost: echo\r\n\r\n',
  'POST /open HTTP/1.1\r\nhost: echo\r\ncontent-length: 5\r\n\r\nhello',
  'POST /open HTTP/1.1\r\nhost: echo\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET /shut HTTP/1.1\r\nhost: echo\r\n\r\n',
)
const request = fc.oneof(proper, odd)
const bytes = fc.oneof(
  { weight: 6, arbitrary: fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => Buffer.from(all.join(''))) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((all) => Buffer.from(all)) },
)

it('nothing but what is listed reaches the app', { timeout: 60_000 }, async (t) => {
  const rig = await start(t, listed, { gatewayTimeouts: { headersTimeoutMs: 40, requestTimeoutMs: 40, checkMs: 10 } })
  const heard: string[] = []
  await serve(rig, podOf('test/echo'), (message, response) => {
    heard.push(`${message.method} ${message.url}`)
    message.on('error', () => {}).resume()
    response.end('ok')
  })
  let answered = 0
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      const socket = await dial(rig, 'test/client')
      // What is left half said is closed by its end, not by a timeout.
      setTimeout(() => socket.end(), 20)
      if ((await exchange(socket, sent)).includes('200 OK')) answered += 1
    }),
    { numRuns: 150 },
  )
  const others = heard.filter((request) => request !== 'GET /open' && request !== 'POST /open')
  assert.deepEqual(others, [])
  assert.ok(answered > 5 && heard.length > 5, `${answered} answers to ${heard.length} requests`)
  await eventually('nothing open', () => rig.mesh.openConnections === 0)
  assert.deepEqual(answersIn(await exchange(await dial(rig, 'test/client'), asks('GET', '/open'))), ['200 ok'])
})
