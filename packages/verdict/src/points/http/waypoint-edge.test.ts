import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asReceived } from './edge.js'
import { asReceivedByWaypoint } from './waypoint-edge.js'

/* The headers by the time that policies read them: at a waypoint, and beside it at a gateway. */

test('what a waypoint takes off, keeps as the caller wrote it, and makes where it is missing', () => {
  const sent = {
    'x-forwarded-for': '198.51.100.7',
    'x-forwarded-proto': 'https',
    'x-request-id': 'mine',
    'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/app/sa/admin',
    'x-envoy-retry-on': '5xx',
    'x-envoy-upstream-rq-timeout-ms': '1',
    'x-envoy-original-path': '/mine',
    connection: 'close, x-hidden',
    'x-hidden': 'yes',
    te: 'trailers',
    upgrade: 'h2c',
    'x-foo': 'bar',
  }
  assert.deepEqual(asReceivedByWaypoint(sent), {
    'x-forwarded-for': '198.51.100.7',
    'x-forwarded-proto': 'https',
    'x-request-id': 'mine',
    'x-envoy-original-path': '/mine',
    'x-foo': 'bar',
  })
  const { 'x-request-id': id, ...atGateway } = asReceived(sent, '203.0.113.9')
  assert.notEqual(id, 'mine')
  assert.deepEqual(atGateway, {
    'x-forwarded-for': '198.51.100.7,203.0.113.9',
    'x-forwarded-proto': 'http',
    'x-foo': 'bar',
  })
})

test('without any of them there are a protocol and an id, and nobody who forwarded', () => {
  const headers = asReceivedByWaypoint({ 'x-forwarded-proto': 'gopher' })
  assert.deepEqual(Object.keys(headers), ['x-forwarded-proto', 'x-request-id'])
  assert.equal(headers['x-forwarded-proto'], 'http')
})
