import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopback, parseAddress, parseBlock } from './addresses.js'

function contains(block: string, address: string): boolean | undefined {
  const parsed = parseAddress(address)
  assert.ok(parsed, address)
  return parseBlock(block)?.contains(parsed)
}

test('blocks of both families, and single addresses', () => {
  assert.equal(contains('10.0.0.0/8', '10.255.0.1'), true)
  assert.equal(contains('10.0.0.0/8', '11.0.0.1'), false)
  assert.equal(contains('10.0.0.7', '10.0.0.7'), true)
  assert.equal(contains('10.0.0.7', '10.0.0.8'), false)
  assert.equal(contains('2001:db8::/32', '2001:db8:ffff::1'), true)
  assert.equal(contains('2001:db8::1', '2001:db8::2'), false)
})

test('the families never match each other, and IPv4 inside IPv6 is IPv4', () => {
  assert.equal(contains('0.0.0.0/0', '2001:db8::1'), false)
  assert.equal(contains('::/0', '10.0.0.1'), false)
  assert.equal(contains('10.0.0.0/8', '::ffff:10.0.0.1'), true)
})

test('what is no address or block is none', () => {
  for (const text of ['', '10.1', '010.0.0.1', '10.0.0.1/33', '10.0.0.0/', '10.0.0.0/8/8', '2001:db8::/129', 'x', '1'])
    assert.equal(parseBlock(text), undefined, text)
  for (const text of ['10.1', '0x7f.0.0.1', '2130706433', 'localhost', '10.0.0.0/8'])
    assert.equal(parseAddress(text), undefined, text)
})

test('loopback is 127.0.0.0/8, ::1, and the unspecified address', () => {
  for (const text of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(text), text)
  for (const text of ['128.0.0.1', '10.0.0.1', '::2', 'localhost', '0.0.0.1'])
    assert.equal(isLoopback(text), false, text)
})
