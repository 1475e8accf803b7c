import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { parseDurationNs } from '@bulkhead/service-kit'
import { rawAnswer, startService, startTcp } from './testing/chain.js'

interface Json {
  readonly [key: string]: unknown
  readonly start_time: string
  readonly end_time: string
  readonly duration: string
  readonly upstream_calls?: readonly Json[]
}

const KEYS = [
  'name',
  'uri',
  'type',
  'ip_addresses',
  'start_time',
  'end_time',
  'duration',
  'body',
  'upstream_calls',
  'code',
  'error',
]

async function get(
  url: string,
  init?: RequestInit,
): Promise<{ status: number; type: string | null; text: string; json: Json; headers: Headers }> {
  const response = await fetch(url, init)
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text,
    json: JSON.parse(text) as Json,
    headers: response.headers,
  }
}

/** Microseconds since the epoch of a timestamp without a zone. */
const micros = (time: string): number => Date.parse(`${time.slice(0, 19)}Z`) * 1e3 + Number(time.slice(20))

test('the three hops of the seed, on the wire', async (t) => {
  const history = await startService(t, { NAME: 'purchase-history-v1', MESSAGE: 'Hello From Purchase History (v1)!' })
  const recommendation = await startService(t, {
    NAME: 'recommendation',
    MESSAGE: 'Hello From Recommendations!',
    UPSTREAM_URIS: history.url,
  })
  const webApi = await startService(t, {
    NAME: 'web-api',
    MESSAGE: 'Hello From Web API',
    UPSTREAM_URIS: recommendation.url,
    HTTP_CLIENT_KEEP_ALIVES: 'true',
  })
  const { status, type, text, json } = await get(`${webApi.url}/`)
  assert.equal(status, 200)
  assert.equal(type, 'text/plain; charset=utf-8')
  assert.equal(text, `${JSON.stringify(json, null, 2)}\n`, 'two spaces, and a newline at the end')

  const second = json.upstream_calls?.[0] as Json
  const third = second.upstream_calls?.[0] as Json
  const expected: readonly [Json, string, string, string][] = [
    [json, 'web-api', '/', 'Hello From Web API'],
    [second, 'recommendation', recommendation.url, 'Hello From Recommendations!'],
    [third, 'purchase-history-v1', history.url, 'Hello From Purchase History (v1)!'],
  ]
  for (const [hop, name, uri, body] of expected) {
    assert.deepEqual([hop.name, hop.uri, hop.type, hop.body, hop.code], [name, uri, 'HTTP', body, 200])
    const keys = Object.keys(hop)
    assert.deepEqual(
      keys,
      KEYS.filter((key) => keys.includes(key)),
      'key order',
    )
    assert.equal('error' in hop, false)
    assert.match(hop.start_time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
    const elapsed = micros(hop.end_time) - micros(hop.start_time)
    assert.ok(elapsed >= 0)
    assert.ok(Math.abs(parseDurationNs(hop.duration) / 1e3 - elapsed) <= 1, `${hop.duration} against ${elapsed}`)
  }
  assert.equal('upstream_calls' in third, false)
  for (const [outer, inner] of [
    [json, second],
    [second, third],
  ] as const) {
    assert.ok(
      micros(outer.start_time) <= micros(inner.start_time) && micros(inner.end_time) <= micros(outer.end_time),
      'a call lies within its caller',
    )
    assert.ok(parseDurationNs(outer.duration) >= parseDurationNs(inner.duration))
  }
})

test('denied at the last hop: the failure bodies of the contract', async (t) => {
  const denying = await startTcp(t, (socket) => socket.once('data', () => socket.resetAndDestroy()))
  const recommendation = await startService(t, { NAME: 'recommendation', UPSTREAM_URIS: denying.url })
  const webApi = await startService(t, { NAME: 'web-api', UPSTREAM_URIS: recommendation.url })
  const { status, type, json } = await get(`${webApi.url}/`)
  assert.equal(status, 500)
  assert.equal(type, 'text/plain; charset=utf-8')
  assert.deepEqual(Object.keys(json), [
    'name',
    'uri',
    'type',
    'ip_addresses',
    'start_time',
    'end_time',
    'duration',
    'upstream_calls',
    'code',
  ])
  assert.equal(json.code, 500)
  const second = json.upstream_calls?.[0] as Json
  assert.deepEqual(Object.keys(second), [
    'name',
    'uri',
    'type',
    'ip_addresses',
    'start_time',
    'end_time',
    'duration',
    'upstream_calls',
    'code',
    'error',
  ])
  assert.equal(second.code, 500)
  assert.equal(second.error, `Error processing upstream request: ${recommendation.url}/`)
  const [third] = second.upstream_calls ?? []
  assert.deepEqual(Object.keys(third ?? {}), ['uri', 'code', 'error'])
  assert.equal(third?.uri, denying.url)
  assert.equal(third?.code, -1)
  const host = denying.url.slice('http://'.length)
  assert.match(
    String(third?.error),
    new RegExp(
      `^Error communicating with upstream service: Get "${denying.url}/": read tcp 127\\.0\\.0\\.1:\\d+->${host}: read: connection reset by peer$`,
    ),
  )
})

/** What an upstream may do, and what its entry then says. */
const UPSTREAMS: readonly {
  what: string
  serve: (socket: Socket) => void
  status: number
  entry: (url: string) => Record<string, unknown>
}[] = [
  {
    what: 'closes without a word',
    serve: (socket) => void socket.once('data', () => socket.end()),
    status: 500,
    entry: (url) => ({ uri: url, code: -1, error: `Error communicating with upstream service: Get "${url}/": EOF` }),
  },
  {
    what: 'refuses as a waypoint does',
    serve: (socket) => void socket.once('data', () => socket.end(rawAnswer('403 Forbidden', 'RBAC: access denied'))),
    status: 500,
    entry: (url) => ({ uri: url, code: 403, error: `Error processing upstream request: ${url}/` }),
  },
  {
    what: 'answers something that is no JSON',
    serve: (socket) => void socket.once('data', () => socket.end(rawAnswer('200 OK', 'hello'))),
    status: 200,
    entry: (url) => ({ uri: url, code: 200 }),
  },
  {
    what: 'answers JSON of another shape',
    serve: (socket) => void socket.once('data', () => socket.end(rawAnswer('200 OK', '{"name":7}'))),
    status: 200,
    entry: (url) => ({ uri: url, code: 200 }),
  },
  {
    what: 'lies about its code, and adds fields',
    serve: (socket) =>
      void socket.once('data', () => socket.end(rawAnswer('200 OK', '{"code":418,"uri":"/x","name":"n","extra":1}'))),
    status: 200,
    entry: (url) => ({ name: 'n', uri: url, code: 200 }),
  },
  {
    what: 'breaks off in the middle',
    serve: (socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"na')),
    status: 500,
    entry: (url) => ({ uri: url, code: 200, error: 'Error reading response body: unexpected EOF' }),
  },
  {
    what: 'breaks off in the middle, later',
    serve: (socket) =>
      void socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"na')
        setTimeout(() => socket.destroy(), 50)
      }),
    status: 500,
    entry: (url) => ({ uri: url, code: 200, error: 'Error reading response body: unexpected EOF' }),
  },
  {
    what: 'tells of an error of its own, with 200',
    serve: (socket) => void socket.once('data', () => socket.end(rawAnswer('200 OK', '{"name":"n","error":"mine"}'))),
    status: 200,
    entry: (url) => ({ name: 'n', uri: url, code: 200, error: 'mine' }),
  },
  {
    what: 'redirects without end',
    serve: (socket) =>
      void socket.once('data', () => socket.end(rawAnswer('302 Found', '', ['Location: /again', 'Connection: close']))),
    status: 500,
    entry: (url) => ({
      uri: url,
      code: -1,
      error: 'Error communicating with upstream service: Get "/again": stopped after 10 redirects',
    }),
  },
  {
    what: 'answers more than anyone wants',
    serve: (socket) =>
      void socket.once('data', () =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n${'x'.repeat(1_100_000)}`),
      ),
    status: 500,
    entry: (url) => ({
      uri: url,
      code: 200,
      error: 'Error reading response body: the answer is larger than 1048576 bytes',
    }),
  },
  {
    what: 'does not speak HTTP',
    serve: (socket) => void socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n')),
    status: 500,
    entry: (url) => ({
      uri: url,
      code: -1,
      error: `Error communicating with upstream service: Get "${url}/": net/http: HTTP/1.x transport connection broken: malformed HTTP response`,
    }),
  },
  {
    what: 'nests without end',
    serve: (socket) =>
      void socket.once('data', () =>
        socket.end(rawAnswer('200 OK', ['{"upstream_calls":['.repeat(200), '{}', ']}'.repeat(200)].join(''))),
      ),
    status: 200,
    entry: (url) => ({ uri: url, code: 200 }),
  },
]

for (const { what, serve, status, entry } of UPSTREAMS) {
  test(`an upstream that ${what}`, async (t) => {
    const upstream = await startTcp(t, serve)
    const { url } = await startService(t, { UPSTREAM_URIS: upstream.url })
    const answer = await get(`${url}/`)
    assert.equal(answer.status, status)
    assert.deepEqual(answer.json.upstream_calls, [entry(upstream.url)])
    assert.equal('body' in answer.json, status === 200)
  })
}

test('nobody there, and no answer in time', async (t) => {
  const gone = await startTcp(t, () => {})
  await new Promise((resolve) => gone.server.close(resolve))
  const silent = await startTcp(t, () => {})
  const stalls = await startTcp(
    t,
    (socket) => void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{')),
  )
  const rows: readonly [string, string, RegExp][] = [
    [gone.url, '30s', /Get ".*": dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/],
    [silent.url, '200ms', /Get ".*": context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/],
    [stalls.url, '400ms', /^Error reading response body: context deadline exceeded/],
  ]
  for (const [upstream, timeout, error] of rows) {
    const { url } = await startService(t, { UPSTREAM_URIS: upstream, HTTP_CLIENT_REQUEST_TIMEOUT: timeout })
    const { status, json } = await get(`${url}/`)
    assert.equal(status, 500)
    assert.match(String(json.upstream_calls?.[0]?.error), error)
  }
})

test('any path and any method is answered, and a body is taken in and ignored', async (t) => {
  const { url } = await startService(t)
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const { status, json } = await get(`${url}/any/where?x=1&y=%20`, {
      method,
      ...(method === 'GET' ? {} : { body: 'ignored' }),
    })
    assert.equal(status, 200)
    assert.equal(json.uri, '/any/where?x=1&y=%20')
    assert.equal(json.name, 'Service')
    assert.equal(json.body, 'Hello World')
  }
  const head = await fetch(`${url}/`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  assert.equal(await head.text(), '')
  for (const path of ['/ready', '/config', '/ui/'])
    assert.equal((await get(url + path)).json.uri, path, 'no such endpoint at v0.7.8')
})

test('a body beyond the limit is refused, announced or not', async (t) => {
  const { url } = await startService(t)
  const big = 'x'.repeat(1_100_000)
  assert.equal((await fetch(url, { method: 'POST', body: big })).status, 413)
  const stream = new Response(big).body
  const chunked = await fetch(url, { method: 'POST', body: stream, duplex: 'half' } as RequestInit)
  assert.equal(chunked.status, 413)
  assert.equal(((await chunked.json()) as { error: { code: string } }).error.code, 'BODY_TOO_LARGE')
})

test('MESSAGE and the rest are escaped as Go does it', async (t) => {
  const { url } = await startService(t, { MESSAGE: '<a & "b"> µ \u2028 \u0001 😀' })
  const { text, json } = await get(url)
  assert.match(text, /"body": "\\u003ca \\u0026 \\"b\\"\\u003e µ \\u2028 \\u0001 😀"/)
  assert.equal(json.body, '<a & "b"> µ \u2028 \u0001 😀')
})

test('CORS: any origin, GET, POST and HEAD', async (t) => {
  const { url } = await startService(t)
  const cross = await get(url, { headers: { origin: 'http://shop.example' } })
  assert.equal(cross.headers.get('access-control-allow-origin'), '*')
  assert.equal((await get(url)).headers.get('access-control-allow-origin'), null)
  const preflight = (method: string) =>
    fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'http://shop.example', 'access-control-request-method': method },
    })
  assert.equal((await preflight('POST')).headers.get('access-control-allow-methods'), 'POST')
  assert.equal((await preflight('DELETE')).headers.get('access-control-allow-methods'), null)
})
