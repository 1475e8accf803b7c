import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { outsideAddress } from '@bulkhead/verdict'
import { flowOf } from './flow.js'
import type { Attempt } from './types.js'

const from = { workload: 'shop/sleep' }
const to = { workload: 'shop/web-api' }

describe('the flow of an attempt', () => {
  const cases: readonly (readonly [Attempt, ReturnType<typeof flowOf>])[] = [
    [
      { kind: 'http', to, port: 8080 },
      { from, to, port: 8080, http: { method: 'GET', path: '/' } },
    ],
    [
      { kind: 'http', to, port: 8080, http: { method: 'PUT', path: '/x', headers: { a: 'b' }, body: 'c' } },
      { from, to, port: 8080, http: { method: 'PUT', path: '/x', headers: { a: 'b' } } },
    ],
    [
      { kind: 'tcp', to, port: 9229, send: 'x' },
      { from, to, port: 9229 },
    ],
    [
      { kind: 'tls', to, port: 443, tls: { sni: 'a.b' } },
      { from, to, port: 443, tls: { sni: 'a.b' } },
    ],
    [
      { kind: 'tls', to, port: 443 },
      { from, to, port: 443, tls: {} },
    ],
    // Of HTTPS the walls on the way see the name, and no request.
    [
      { kind: 'http', to: { host: 'a.b' }, port: 443, tls: {}, http: { method: 'POST', path: '/x' } },
      { from, to: { host: 'a.b' }, port: 443, tls: { sni: 'a.b' } },
    ],
    [
      { kind: 'http', to: { host: 'a.b' }, port: 443, tls: { sni: 'c.d', insecure: true } },
      { from, to: { host: 'a.b' }, port: 443, tls: { sni: 'c.d' } },
    ],
    [
      { kind: 'http', to: { ip: '203.0.113.9' }, port: 443, tls: {} },
      { from, to: { ip: '203.0.113.9' }, port: 443, tls: {} },
    ],
    [
      { kind: 'http', to: { service: 'shop/a' }, port: 443, tls: {} },
      { from, to: { service: 'shop/a' }, port: 443, tls: { sni: 'a.shop.svc.cluster.local' } },
    ],
    [
      { kind: 'postgres', to, port: 5432 },
      { from, to, port: 5432 },
    ],
    [
      { kind: 'postgres', to, port: 5432, postgres: { passwordFrom: { secret: 'demo/s', key: 'password' } } },
      { from, to, port: 5432 },
    ],
    [
      { kind: 'udp', to, port: 9 },
      { from, to, port: 9, protocol: 'UDP' },
    ],
    [
      { kind: 'dns', to: { host: 'a.b' }, port: 53, dns: { query: 'a.b' } },
      { from, to: { service: 'kube-system/kube-dns' }, port: 53, protocol: 'UDP', dns: { query: 'a.b' } },
    ],
    [
      { kind: 'dns', to: { ip: '10.96.0.10' }, port: 53, dns: { query: 'a.b' } },
      { from, to: { ip: '10.96.0.10' }, port: 53, protocol: 'UDP', dns: { query: 'a.b' } },
    ],
    [
      { kind: 'hbone', to, port: 8080, certificate: 'stolen' },
      { from, to, port: 8080, certificate: 'stolen' },
    ],
    [
      { kind: 'hbone', to, port: 8080 },
      { from, to, port: 8080, certificate: 'none' },
    ],
    [{ kind: 'socket', to, port: 8080 }, undefined],
    [
      { kind: 'http', to, port: 8080, http: { method: 'GET', path: '/', headers: { Host: 'a.b', x: 'y' } } },
      { from, to, port: 8080, http: { method: 'GET', path: '/', host: 'a.b', headers: { x: 'y' } } },
    ],
  ]
  for (const [attempt, flow] of cases) {
    it(`of kind ${attempt.kind}${attempt.certificate === undefined ? '' : ` with a ${attempt.certificate} certificate`}`, () => {
      assert.deepEqual(flowOf('shop/sleep', attempt), flow)
    })
  }

  it('from outside comes from an address, and asks for the host that its header says', () => {
    const http = { method: 'GET', path: '/', headers: { host: 'a.b' } }
    assert.deepEqual(flowOf('outside', { kind: 'http', to: { service: 'shop/door' }, port: 80, http }), {
      from: { external: outsideAddress },
      to: { service: 'shop/door' },
      port: 80,
      http: { method: 'GET', path: '/', host: 'a.b' },
    })
  })
})
