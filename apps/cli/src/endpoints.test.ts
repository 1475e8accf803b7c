import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDestination, parseRequest, parseSource } from './endpoints.js'

test('a source is a workload with its namespace', () => {
  assert.deepEqual(parseSource('shop/sleep'), { workload: 'shop/sleep' })
  for (const wrong of ['sleep', 'shop/', '/sleep', 'shop/sleep:8080', 'Shop/Sleep', 'a/b/c', ''])
    assert.throws(() => parseSource(wrong), {
      message: `"${wrong}" is not a caller; write NAMESPACE/NAME, as in shop/sleep, or node/NAME, or outside.`,
    })
})

test('a node is a caller and a destination of its own', () => {
  assert.deepEqual(parseSource('node/bulkhead-worker'), { node: 'bulkhead-worker' })
  assert.deepEqual(parseDestination('node/bulkhead-worker:10250'), {
    candidates: [{ node: 'bulkhead-worker' }],
    port: 10250,
  })
})

test('a protocol stands behind the port, as it does in every verdict', () => {
  const candidates = [{ host: 'api.github.com' }]
  assert.deepEqual(parseDestination('api.github.com:443/UDP'), { candidates, port: 443, protocol: 'UDP' })
  assert.deepEqual(parseDestination('api.github.com:443/udp'), { candidates, port: 443, protocol: 'UDP' })
  assert.deepEqual(parseDestination('api.github.com:443/TCP'), { candidates, port: 443 })
  assert.throws(() => parseDestination('api.github.com:443/QUIC'), /is not a destination/)
})

test('of an https URL the host and the port are seen, and the name in the ClientHello', () => {
  for (const [typed, to, port, sni] of [
    ['https://api.github.com/', { host: 'api.github.com' }, 443, 'api.github.com'],
    ['https://api.github.com:8443/zen', { host: 'api.github.com' }, 8443, 'api.github.com'],
    ['https://172.18.0.2:6443/', { ip: '172.18.0.2' }, 6443, undefined],
  ] as const) {
    assert.deepEqual(parseDestination(typed), { candidates: [to], port, ...(sni !== undefined && { sni }) })
  }
})

test('outside is a caller of its own', () => assert.equal(parseSource('outside'), 'outside'))

test('a URL is a host, a port, and what is asked for there', () => {
  for (const [typed, to, port, host, path] of [
    ['http://istioexplained.io', { host: 'istioexplained.io' }, 80, 'istioexplained.io', '/'],
    ['http://istioexplained.io:8080/a?b=c', { host: 'istioexplained.io' }, 8080, 'istioexplained.io:8080', '/a?b=c'],
    ['HTTP://Web-Api.shop/x', { host: 'web-api.shop' }, 80, 'web-api.shop', '/x'],
    ['http://10.244.1.3/', { ip: '10.244.1.3' }, 80, '10.244.1.3', '/'],
    ['http://[fd00::1]:81/', { ip: 'fd00::1' }, 81, '[fd00::1]:81', '/'],
  ] as const) {
    assert.deepEqual(parseDestination(typed), { candidates: [to], port, url: { host, path } })
  }
})

test('a destination is a Service before it is a workload or a gateway; or an address, or a host', () => {
  const port = 8080
  assert.deepEqual(parseDestination('shop/web-api:8080'), {
    candidates: [{ service: 'shop/web-api' }, { workload: 'shop/web-api' }, { service: 'shop/web-api-istio' }],
    port,
  })
  assert.deepEqual(parseDestination('10.244.1.3:8080'), { candidates: [{ ip: '10.244.1.3' }], port })
  assert.deepEqual(parseDestination('[fd00::1]:8080'), { candidates: [{ ip: 'fd00::1' }], port })
  assert.deepEqual(parseDestination('web-api.shop.svc:8080'), { candidates: [{ host: 'web-api.shop.svc' }], port })
  assert.deepEqual(parseDestination('api.github.com:443'), { candidates: [{ host: 'api.github.com' }], port: 443 })
})

for (const [typed, said] of [
  ['shop/web-api', /"shop\/web-api" has no port; write shop\/web-api:8080/],
  ['10.1.2.3', /has no port; write 10\.1\.2\.3:8080/],
  ['fd00::1', /has no port; write \[fd00::1\]:8080/],
  ['shop/web-api:http', /is not a destination; write NAMESPACE\/SERVICE:PORT/],
  ['shop/web-api:0', /has port 0; ports are 1 to 65535/],
  ['shop/web-api:65536', /has port 65536/],
  [':8080', /is not a destination/],
  ['https://', /is not a URL as http:\/\/istioexplained\.io\/ is one/],
  ['http://', /is not a URL as http:\/\/istioexplained\.io\/ is one/],
  ['http://me@web-api/', /is not a URL/],
  ['http://web_api/', /is not a URL/],
  ['http://web-api:99999/', /is not a URL/],
  ['[nonsense]:80', /is not a destination/],
] as const) {
  test(`"${typed}" is refused with the way to write it`, () =>
    assert.throws(() => parseDestination(typed), { message: said }))
}

test('a request has a method and, unless it is /, a path', () => {
  assert.deepEqual(parseRequest({ method: 'get' }), { method: 'GET', path: '/' })
  assert.deepEqual(parseRequest({ method: 'DELETE', path: '/orders/1' }), { method: 'DELETE', path: '/orders/1' })
  assert.throws(() => parseRequest({ method: '/orders' }), /not an HTTP method/)
  assert.throws(() => parseRequest({ method: 'GET', path: 'orders' }), /begins with a slash, as \/orders does/)
})

test('a host or a header makes it a request; nothing of one is none', () => {
  assert.equal(parseRequest({}), undefined)
  assert.deepEqual(parseRequest({ host: 'a.example:81' }), { method: 'GET', path: '/', host: 'a.example:81' })
  assert.deepEqual(parseRequest({ headers: ['X-User:  admin ', 'x-user: root', 'x-empty:'] }), {
    method: 'GET',
    path: '/',
    headers: { 'x-user': 'admin,root', 'x-empty': '' },
  })
  assert.equal(parseRequest({ headers: ['Host: b.example'] })?.host, 'b.example')
  assert.equal(parseRequest({ headers: ['Host: b.example'], host: 'a.example' })?.host, 'a.example')
  for (const wrong of ['x-user', 'x user: a', ': a', 'x-user: a\r\nx-other: b', '']) {
    assert.throws(() => parseRequest({ headers: [wrong] }), /is not a header; write 'NAME: VALUE'/)
  }
  assert.throws(() => parseRequest({ host: 'a b' }), /"a b" is not a host/)
})

test('a URL is asked for with its host and path, unless another host is said', () => {
  const url = { host: 'a.example', path: '/x' }
  assert.deepEqual(parseRequest({ url }), { method: 'GET', path: '/x', host: 'a.example' })
  assert.deepEqual(parseRequest({ url, method: 'PUT', host: 'b.example' }), {
    method: 'PUT',
    path: '/x',
    host: 'b.example',
  })
  assert.throws(() => parseRequest({ url, method: 'GET', path: '/y' }), /the path stands in the URL; leave "\/y" out/)
})
