import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { it } from 'node:test'
import { asReceived } from '@bulkhead/verdict'
import fc from 'fast-check'
import { readRequest } from './read-request.js'

/* What a policy would read of a request is one thing, be it sent or only asked about. */
it('the running gateway and the engine read the same headers off a request', () => {
  const name = fc.constantFrom(
    'X-Team',
    'x-envoy-internal',
    'X-Forwarded-Client-Cert',
    'x-forwarded-for',
    'X-Forwarded-Proto',
    'x-request-id',
    'TE',
    'upgrade',
    'Proxy-Authorization',
    'connection',
    'cookie',
  )
  const value = fc.constantFrom('', 'a', 'close', 'keep-alive, X-Team', 'x-forwarded-for', 'cookie,host,content-length')
  const lines = fc.uniqueArray(fc.tuple(name, value), { selector: ([one]) => one })
  let differing = 0
  fc.assert(
    fc.property(lines, (headers) => {
      const rawHeaders = ['Host', 'shop.test', ...headers.flat()]
      const read = readRequest(
        { rawHeaders, httpVersionMinor: 1, url: '/', method: 'GET' } as IncomingMessage,
        '10.0.0.9',
      )
      assert.ok('request' in read)
      const sent = Object.fromEntries(headers.map(([key, said]) => [key.toLowerCase(), said]))
      const { 'x-request-id': one, ...seen } = read.request.headers
      const { 'x-request-id': other, ...asked } = asReceived(sent, '10.0.0.9')
      assert.ok(one && other)
      assert.deepEqual({ ...seen }, asked)
      if (Object.keys(sent).some((key) => sent[key] !== seen[key])) differing += 1
    }),
  )
  assert.ok(differing > 10)
})
