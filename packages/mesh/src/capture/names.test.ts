import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { scopeOf, spell } from './names.js'

const pod = { name: 'web-api-1', ip: '10.244.0.7' }

test('what means the pod itself, however it is spelled', () => {
  const self = [
    '127.0.0.1',
    '0.0.0.0',
    '::',
    '::1',
    '[::1]'.slice(1, -1),
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::FFFF:7f00:1',
    '127.1',
    '0x7f000001',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '0',
    '::ffff:0.0.0.0',
    '127.0.0.1.',
    '::1%lo',
  ]
  for (const host of self) assert.equal(spell(host, pod), '127.0.0.1', host)
  assert.equal(spell('127.8.9.1', pod), '127.8.9.1')
  for (const host of ['', 'localhost', 'LOCALHOST', 'LocalHost.']) assert.equal(spell(host, pod), 'localhost', host)
  for (const host of ['web-api-1', 'WEB-API-1.', '10.244.0.7', '::ffff:10.244.0.7', '::ffff:af4:7', '10.0xf4.7'])
    assert.equal(spell(host, pod), pod.ip, host)
})

test('names and other addresses stay what they are', () => {
  assert.equal(spell('Web-API.shop.svc.cluster.local.', pod), 'web-api.shop.svc.cluster.local')
  assert.equal(spell('10.244.1.9', pod), '10.244.1.9')
  assert.equal(spell('::ffff:10.244.1.9', pod), '10.244.1.9')
  // Not addresses, though they look so: the C library takes them for names.
  for (const host of ['256.1.1.1', '1.2.3.4.5', '09.1.1.1x', '1.2.3.256', '1.2.65536', '4294967296', '1..2'])
    assert.equal(spell(host, pod), host, host)
})

test('IPv6 has no address here', () => {
  for (const host of ['2001:db8::1', 'fe80::1%eth0', '::2', '1::ffff:10.0.0.1', 'not:an:address', ':::'])
    assert.equal(spell(host, pod), undefined, host)
})

test('any text is spelled, and spelling twice changes nothing', () => {
  const seed = Date.now() % 2 ** 31
  const hosts = fc.oneof(fc.string(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.domain(), fc.nat(2 ** 33).map(String))
  const property = fc.property(hosts, (host) => {
    const once = spell(host, pod)
    if (once !== undefined) assert.equal(spell(once, pod), once)
    return once === undefined || isIPv4(once) || once.length > 0
  })
  fc.assert(property, { numRuns: 2_000, seed })
})

test('where a listener can be reached from', () => {
  for (const host of ['', '0.0.0.0', '::', '10.244.0.7', 'web-api-1', '::ffff:10.244.0.7'])
    assert.equal(scopeOf(host, pod), 'pod', host)
  for (const host of ['127.0.0.1', 'localhost', '::1', '127.0.0.2']) assert.equal(scopeOf(host, pod), 'loopback', host)
  for (const host of ['10.244.0.8', 'elsewhere', '2001:db8::1']) assert.equal(scopeOf(host, pod), undefined, host)
})
