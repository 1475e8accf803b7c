import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from './duration.js'
import { goFloat, goInteger, goNumber, goScientific, goText } from './go.js'
import { parseImage } from './image.js'
import { compareQuantities, formatQuantity, parseQuantity } from './quantity.js'
import { satisfies } from './semver.js'
import { wildcardMatches } from './wildcard.js'

test('quantities', () => {
  for (const [text, nano] of [
    ['1', 1_000_000_000n],
    ['1k', 1_000_000_000_000n],
    ['1Ki', 1_024_000_000_000n],
    ['-1.5', -1_500_000_000n],
    ['.5', 500_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['1E', 10n ** 27n],
    ['0.0000000001', 1n],
    ['1e-999999999', 1n],
    ['0', 0n],
  ] as const)
    assert.equal(parseQuantity(text)?.nano, nano, text)
  for (const text of ['', '.', 'x', '1 Gi', '1gi', '--1', '1e', '1'.repeat(300), '0x10'])
    assert.equal(parseQuantity(text), undefined, text)
  assert.equal(compareQuantities('1e999999999', '9223372036854775807'), 0)
  assert.equal(compareQuantities('100m', '0.1'), 0)
  const texts = ['1536Mi', '750m', '0', '-2k', '1025', '1500m', '2Gi', '3n', '5e3', '7e-3']
  for (const text of texts) assert.equal(formatQuantity(parseQuantity(text) ?? { nano: 0n, format: 'decimal' }), text)
})

test('durations', () => {
  for (const [text, nanoseconds] of [
    ['1h30m', 5_400_000_000_000n],
    ['1.5s', 1_500_000_000n],
    ['-2ms', -2_000_000n],
    ['0', 0n],
    ['.5m', 30_000_000_000n],
    ['1µs', 1_000n],
  ] as const)
    assert.equal(parseDuration(text), nanoseconds, text)
  for (const text of ['', '1', 's', '1x', '1h x', '.s', '9999999h', '-'])
    assert.equal(parseDuration(text), undefined, text)
  for (const text of ['1h30m0s', '1m0s', '1.5s', '2ms', '1.5µs', '3ns', '0s', '-1s', '100h0m0.25s'])
    assert.equal(formatDuration(parseDuration(text) ?? -1n), text)
})

test('values as Go prints and reads them', () => {
  assert.equal(goText({ b: [1, 'x', null], a: { c: true } }), 'map[a:map[c:true] b:[1 x <nil>]]')
  assert.deepEqual(
    [goNumber(1_000_000), goNumber(1.5), goNumber(1e-7), goNumber(1e21)],
    ['1000000', '1.5', '1e-07', '1e+21'],
  )
  assert.equal(goScientific(0.015), '1.5E-02')
  assert.deepEqual([goInteger('+12'), goInteger('9223372036854775808'), goInteger('1.0')], [12n, undefined, undefined])
  assert.deepEqual([goFloat('1e3'), goFloat('0x1'), goFloat('')], [1_000, undefined, undefined])
})

test('ranges of versions', () => {
  for (const [version, range, holds] of [
    ['1.2.3', '1.2.3', true],
    ['1.2.3', '!=1.2.3', false],
    ['1.2.3', '>1.2.2 <1.2.4', true],
    ['1.2.3', '<1.0.0 || >=1.2.0', true],
    ['1.2.3', '1.2.x', true],
    ['1.3.0', '1.2.x', false],
    ['2.0.0', '>1.x', true],
    ['1.9.0', '<=1.x', true],
    ['1.0.0-alpha.2', '>1.0.0-alpha.1', true],
    ['1.0.0-alpha.beta', '>1.0.0-alpha.1', true],
    ['none', '<1.0.0', true],
    ['1.0.0', 'x', undefined],
  ] as const)
    assert.equal(satisfies(version, range), holds, `${version} in ${range}`)
})

test('images in parts', () => {
  const parts = (text: string) => {
    const { registry, path, name, tag, digest } = parseImage(text) ?? {}
    return [registry, path, name, tag, digest]
  }
  const digest = `sha256:${'a'.repeat(64)}`
  assert.deepEqual(parts('nginx'), ['docker.io', 'nginx', 'nginx', 'latest', undefined])
  assert.deepEqual(parts('a/b:1'), ['docker.io', 'a/b', 'b', '1', undefined])
  assert.deepEqual(parts('localhost/a/b'), ['localhost', 'a/b', 'b', 'latest', undefined])
  assert.deepEqual(parts('r.example:5000/a:1'), ['r.example:5000', 'a', 'a', '1', undefined])
  assert.deepEqual(parts(`r.example/a@${digest}`), ['r.example', 'a', 'a', undefined, digest])
  assert.equal(parseImage(`a:1@${digest}`)?.reference, `docker.io/a@${digest}`)
  for (const text of ['', 'A B', 'a:', `${'a/'.repeat(600)}a`]) assert.equal(parseImage(text), undefined)
})

test('wildcards', () => {
  for (const [pattern, text, matches] of [
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'aXbY', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a', 'bab', false],
    ['a**', 'a', true],
    ['?', '🙂', true],
    ['??', '🙂', false],
  ] as const)
    assert.equal(wildcardMatches(pattern, text), matches, `${pattern} ${text}`)
})
