import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadManifests } from '../../load.js'
import { parseManifests } from '../../parse.js'
import { admissionPieces } from '../../testing/index.js'
import { folder } from '../../testing.js'
import { MAX_DEPTH, MAX_FILE_BYTES } from '../../yaml/limits.js'
import type { At } from '../schema.js'
import { checkPattern } from './cluster-policy/pattern.js'

/* Policies that are too large, too deep, or that stand for more than they are: one clear error, and no more work than that. */

const { kinds, manifest } = admissionPieces
const codes = (text: string): string[] =>
  parseManifests(text, 'm.yaml').diagnostics.flatMap(({ severity, code }) => (severity === 'error' ? [code] : []))

/** A policy with something put in where its own fields are: each kind of these takes it somewhere. */
const policy = (field: string) => `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: p }
spec:
  rules:
    - name: r
      match: { any: [{ resources: { kinds: [Pod] } }] }
      validate:
        pattern: ${field}
`

test('a pattern that nests too deeply is refused by the reader, in flow and in block', () => {
  for (const depth of [MAX_DEPTH, 1_000, 100_000]) {
    assert.deepEqual(
      codes(policy(`${'{ a: '.repeat(depth)}b${' }'.repeat(depth)}`)),
      ['yaml.too-deep'],
      `${depth} deep`,
    )
    assert.deepEqual(codes(policy(`${'['.repeat(depth)}a${']'.repeat(depth)}`)), ['yaml.too-deep'])
  }
  assert.deepEqual(codes(policy(`${'{ a: '.repeat(60)}b${' }'.repeat(60)}`)), [], 'what people write')
})

test('and by its own walk, however it was made', () => {
  const found: string[] = []
  const at: At = { error: (code) => found.push(code), warn: (code) => found.push(code), at: () => at }
  let deep: object = { a: 'b' }
  for (let depth = 0; depth < 200_000; depth += 1) deep = { a: deep }
  checkPattern(deep, 'pattern', at)
  assert.deepEqual(found, ['pattern.depth'])
})

test('aliases of aliases are refused before they are expanded', () => {
  const bomb = Array.from({ length: 30 }, (_, index) =>
    index === 0
      ? '  - &a0 { image: x }'
      : `  - &a${index} [${Array.from({ length: 10 }, () => `*a${index - 1}`).join(', ')}]`,
  ).join('\n')
  const found = codes(policy(`\n${bomb.replaceAll(/^ {2}/gm, '          ')}`))
  assert.equal(found.length, 1, found.join())
  assert.match(found[0] ?? '', /^yaml\./)
})

test('a file of 10 MB is refused by its size, and a long string within the limit is read', async (t) => {
  const giant = 'x'.repeat(10 * 1024 * 1024)
  const root = await folder(t, { 'giant.yaml': policy(`{ a: ${giant} }`) })
  await assert.rejects(
    loadManifests([root], { relativeTo: root }),
    /giant\.yaml:1:1: .* has 1048\d{4} bytes, and at most 1048576 are read/,
  )
  const long = 'x'.repeat(MAX_FILE_BYTES - 1_000)
  assert.deepEqual(codes(policy(`{ a: ${long} }`)), [])
  for (const kind of kinds) {
    const text = JSON.stringify(manifest({ kind, spec: { [long.slice(0, 500_000)]: 1 } }))
    const { diagnostics } = parseManifests(text, 'm.yaml')
    assert.ok(diagnostics.some(({ severity }) => severity === 'error'))
    for (const { message } of diagnostics)
      assert.ok(message.length < 2_000, `a message of ${message.length} characters`)
  }
})

test('many rules, conditions and names are read in the time that as much text takes', () => {
  const rule = (index: number) =>
    `{ name: r${index}, match: { any: [{ resources: { kinds: [Pod] } }] }, validate: { pattern: { a: b } } }`
  const many = (count: number) =>
    policy('{ a: b }').replace(
      '    - name: r\n',
      `${Array.from({ length: count }, (_, index) => `    - ${rule(index)}\n`).join('')}    - name: r\n`,
    )
  const time = (text: string) => {
    const before = process.cpuUsage()
    assert.deepEqual(codes(text), [])
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  time(many(100))
  const few = Math.min(...[0, 1, 2].map(() => time(many(250))))
  const most = Math.min(...[0, 1, 2].map(() => time(many(2_000))))
  // Eight times as much: with a loop in a loop it would be 64 times.
  assert.ok(most < few * 30, `${most / few} times as long`)
})
