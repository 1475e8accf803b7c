import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { checkBlocks, clientAddress } from './client-address.js'

const ask = (
  from: readonly string[],
  peer: string | undefined,
  header?: string,
  hops = Number.POSITIVE_INFINITY,
): string =>
  clientAddress({ from, hops })({
    socket: { remoteAddress: peer },
    headers: header === undefined ? {} : { 'x-forwarded-for': header },
  } as unknown as IncomingMessage)

const PODS = ['10.244.0.0/16']
const GATEWAY = '10.244.1.80'

test('who is not trusted says nothing of who he is; who is, does', () => {
  assert.equal(ask([], GATEWAY, '198.51.100.7'), GATEWAY, 'by default nobody is')
  assert.equal(ask(PODS, '203.0.113.9', '198.51.100.7'), '203.0.113.9')
  assert.equal(ask(PODS, '10.245.0.1', '198.51.100.7'), '10.245.0.1')
  assert.equal(ask(PODS, GATEWAY, '198.51.100.7'), '198.51.100.7')
  assert.equal(ask(PODS, GATEWAY), GATEWAY, 'a proxy that asks for itself')
  assert.equal(ask(PODS, GATEWAY, ''), GATEWAY)
  assert.equal(ask(PODS, GATEWAY, '198.51.100.7', 0), GATEWAY)
})

test('it is read from the right, past trusted proxies only: what a client has written before that is nothing', () => {
  assert.equal(ask(PODS, GATEWAY, '127.0.0.1, 10.244.9.9, 198.51.100.7'), '198.51.100.7')
  assert.equal(ask(PODS, GATEWAY, '198.51.100.7,10.244.1.81'), '198.51.100.7', 'two proxies')
  assert.equal(ask(['10.244.1.80', '192.0.2.0/24'], GATEWAY, '198.51.100.7, 192.0.2.1'), '198.51.100.7')
  assert.equal(ask(PODS, GATEWAY, '10.244.3.3,10.244.2.2'), '10.244.3.3', 'all the way: then it is the first')
})

test('no further than there are proxies: a pod that asks by the gateway is that pod, whoever it says it is', () => {
  assert.equal(ask(PODS, GATEWAY, '198.51.100.7,10.244.1.4', 1), '10.244.1.4')
  assert.equal(ask(PODS, GATEWAY, '198.51.100.7,10.244.1.4', 2), '198.51.100.7', 'it would be believed otherwise')
})

test('IPv4 and IPv6 have one spelling each, with a port or without', () => {
  for (const peer of ['10.244.1.80', '::ffff:10.244.1.80', '::ffff:af4:150', '::FFFF:0AF4:0150']) {
    assert.equal(ask(PODS, peer, '198.51.100.7'), '198.51.100.7', peer)
    assert.equal(ask([], peer), GATEWAY, peer)
    assert.equal(ask([peer.toLowerCase()], GATEWAY, '198.51.100.7'), '198.51.100.7', peer)
  }
  for (const [said, is] of [
    ['198.51.100.7:4711', '198.51.100.7'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['::ffff:c633:6407', '198.51.100.7'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ] as const)
    assert.equal(ask(PODS, GATEWAY, said), is, said)
  assert.equal(ask(['fd00::/8'], 'fd00::80', '2001:db8::1'), '2001:db8::1')
  assert.equal(ask(['fd00::/8'], 'fc00::80', '2001:db8::1'), 'fc00::80')
})

test('what is no address is nobody: it is the proxy that wrote it, and nothing before it is read', () => {
  for (const garbage of ['unknown', '_hidden', '10', '0x7f.1', '127.1', '1.2.3.4.5', '[', '[]', '::g', 'a:80']) {
    assert.equal(ask(PODS, GATEWAY, `198.51.100.7,${garbage}`), GATEWAY, garbage)
    assert.equal(ask(PODS, GATEWAY, `198.51.100.7,${garbage},10.244.1.81`), '10.244.1.81', garbage)
    assert.equal(ask(PODS, GATEWAY, `${garbage},198.51.100.7`), '198.51.100.7', garbage)
  }
  assert.equal(ask(PODS, GATEWAY, '198.51.100.7,, ,'), '198.51.100.7', 'empty ones are left out (RFC 9110, 5.6.1)')
  assert.equal(ask(PODS, undefined, '198.51.100.7'), '')
})

test('whatever is sent, it is an address; and that of the connection, when that is not trusted', () => {
  const piece = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom(GATEWAY, '10.244.1.4', '198.51.100.7'))
  const header = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(','))
  fc.assert(
    fc.property(header, fc.nat(3), (said, hops) => {
      const is = ask(PODS, GATEWAY, said, hops)
      assert.equal(ask([], is), is, 'and has its one spelling')
      assert.equal(ask(PODS, '203.0.113.9', said, hops), '203.0.113.9')
      // Who is not trusted is where it ends, whatever he has put before himself.
      assert.equal(ask(PODS, GATEWAY, `${said},203.0.113.9`, hops), hops === 0 ? GATEWAY : '203.0.113.9')
    }),
  )
})

test('a block that is none is refused', () => {
  checkBlocks(['10.244.0.0/16', '::1', 'fd00::/8', '192.0.2.1'])
  for (const wrong of [
    '',
    'gateway',
    '10.244.0.0/33',
    '10.244.0.0/',
    '10.244.0/16',
    '0.0.0.0/0',
    '::/0',
    '10/8',
    'loopback',
  ])
    assert.throws(() => checkBlocks(['10.244.0.0/16', wrong]), RangeError, wrong)
})
