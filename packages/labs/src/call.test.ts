import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgedFlow, readCall } from './call.js'
import type { Call } from './types.js'

function read(text: string): Call {
  const call = readCall(text)
  return typeof call === 'string' ? assert.fail(call) : call
}

test('a call of a Service is an HTTP request, GET / unless it says', () => {
  const call = read('shop/sleep -> shop/web-api:8080 sees ok 200')
  assert.deepEqual(call.attempt, {
    kind: 'http',
    to: { service: 'shop/web-api' },
    port: 8080,
    http: { method: 'GET', path: '/' },
  })
  assert.deepEqual([call.from, call.to, call.sees, call.status], ['shop/sleep', 'shop/web-api:8080', 'ok', 200])
  const posted = read('outside -> shop/front:80 POST /a?b host x.example sees rbac-403 403 by authz.no-rule-allows')
  assert.deepEqual(posted.attempt.http, { method: 'POST', path: '/a?b', headers: { host: 'x.example' } })
  assert.deepEqual([posted.to, posted.code], ['shop/front:80', 'authz.no-rule-allows'])
})

test('a call of an outside host is HTTPS, with its own name in the ClientHello or another', () => {
  const call = read('demo/hello-app -> https://api.github.com/ sees ok 200')
  assert.deepEqual(call.attempt, {
    kind: 'http',
    to: { host: 'api.github.com' },
    port: 443,
    tls: {},
    http: { method: 'GET', path: '/' },
  })
  const lying = read('demo/hello-app -> https://a.example:8443/x sni api.github.com sees reset by cni.sni-denied')
  assert.deepEqual([lying.attempt.port, lying.attempt.tls], [8443, { sni: 'api.github.com' }])
})

test('an address is one: nobody is asked for it', () => {
  const lying = read('demo/hello-app -> https://203.0.113.66/ sni api.github.com sees late-reset by cni.default-deny')
  assert.deepEqual([lying.attempt.to, lying.attempt.tls], [{ ip: '203.0.113.66' }, { sni: 'api.github.com' }])
  assert.deepEqual(read('shop/web-api -> udp 203.0.113.66:53 sees timeout').attempt.to, { ip: '203.0.113.66' })
  assert.deepEqual(read('shop/web-api -> http://169.254.169.254/ sees late-reset').attempt, {
    kind: 'http',
    to: { ip: '169.254.169.254' },
    port: 80,
    http: { method: 'GET', path: '/' },
  })
})

test('a pod is called by its own address, and no Service is asked', () => {
  const around = read('shop/sleep -> pod shop/web-api:8080 DELETE /x sees reset by authz.rule-denies')
  assert.deepEqual(around.attempt, {
    kind: 'http',
    to: { workload: 'shop/web-api' },
    port: 8080,
    http: { method: 'DELETE', path: '/x' },
  })
  assert.deepEqual([around.to, around.asks], ['pod shop/web-api:8080', true])
  assert.equal(read('shop/sleep -> pod shop/web-api:8080 sees reset').asks, undefined)
})

test('Postgres, datagrams and questions of names are calls too', () => {
  assert.equal(read('demo/intruder -> postgres demo/postgres:5432 sees late-reset').attempt.kind, 'postgres')
  const mongo = read('gthulhu/np-allow-mgr -> mongo gthulhu/gthulhu-mongodb:27017 sees reset')
  assert.deepEqual([mongo.attempt.kind, mongo.attempt.to], ['mongo', { service: 'gthulhu/gthulhu-mongodb' }])
  assert.deepEqual(read('shop/sleep -> udp a.example:443 sees timeout').attempt.to, { host: 'a.example' })
  assert.deepEqual(read('shop/sleep -> udp sandbox/collector:9125 sees ok').attempt.to, {
    service: 'sandbox/collector',
  })
  const question = read('demo/hello-app -> dns b.example sees dns-refused by cni.dns-denied')
  assert.equal(question.to, 'dns b.example')
  const flow = judgedFlow(question)
  assert.deepEqual([flow.port, flow.protocol, flow.dns], [53, 'UDP', { query: 'b.example' }])
})

test('what is no call is told with an example of one', () => {
  for (const text of ['', 'a to b', 'shop/sleep -> ftp://x/ sees ok', 'shop/sleep -> shop/web-api sees ok']) {
    assert.match(String(readCall(text)), /is no call; write shop\/notsleep/)
  }
  assert.match(String(readCall('shop/sleep -> shop/web-api:8080 sees nothing')), /is no symptom/)
  assert.match(String(readCall('shop/sleep -> shop/web-api:8080 sees ok by chance')), /is no reason code/)
})
