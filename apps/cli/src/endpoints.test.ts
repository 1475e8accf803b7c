import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDestination, parseRequest, parseSource } from './endpoints.js'

test('a source is a workload with its namespace', () => {
  assert.deepEqual(parseSource('shop/sleep'), { workload: 'shop/sleep' })
  for (const wrong of ['sleep', 'shop/', '/sleep', 'shop/sleep:8080', 'Shop/Sleep', 'a/b/c', ''])
    assert.throws(() => parseSource(wrong), {
      message: `"${wrong}" is not a workload; write NAMESPACE/NAME, as in shop/sleep.`,
    })
})

test('a destination is a Service before it is a workload; or an address, or a host', () => {
  const port = 8080
  assert.deepEqual(parseDestination('shop/web-api:8080'), {
    candidates: [{ service: 'shop/web-api' }, { workload: 'shop/web-api' }],
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
  ['http://web-api:8080', /is not a destination/],
  ['[nonsense]:80', /is not a destination/],
] as const) {
  test(`"${typed}" is refused with the way to write it`, () =>
    assert.throws(() => parseDestination(typed), { message: said }))
}

test('a request has a method and, unless it is /, a path', () => {
  assert.deepEqual(parseRequest('get'), { method: 'GET', path: '/' })
  assert.deepEqual(parseRequest('DELETE', '/orders/1'), { method: 'DELETE', path: '/orders/1' })
  assert.throws(() => parseRequest('/orders'), /not an HTTP method/)
  assert.throws(() => parseRequest('GET', 'orders'), /begins with a slash, as \/orders does/)
})
