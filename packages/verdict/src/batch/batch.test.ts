import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import fc from 'fast-check'
import { compile } from '../model/compile.js'
import { resource } from '../testing/objects.js'
import { verdictBatch } from './batch.js'

const folder = fileURLToPath(new URL('../../fixtures/batch', import.meta.url))
const flows = readFileSync(`${folder}/flows.jsonl`, 'utf8')
const { resources } = await loadManifests([`${folder}/manifests`], { relativeTo: `${folder}/manifests` })
const snapshot = compile(resources)

test('the batch interface: flows in, verdicts out, byte for byte', () => {
  const batch = verdictBatch(flows.split('\n'), snapshot, { stable: true })
  const output = `${[...batch].join('\n')}\n`
  const golden = `${folder}/expected.jsonl`
  if (process.env.BULKHEAD_UPDATE === '1') writeFileSync(golden, output)
  assert.equal(output, readFileSync(golden, 'utf8'), 'BULKHEAD_UPDATE=1 rewrites it')
  assert.equal(batch.failed, true)
})

test('keys stand in a fixed order, and absent ones are not there', () => {
  const [line = ''] = verdictBatch([flows.split('\n')[1] ?? ''], snapshot)
  const verdict = JSON.parse(line)
  assert.deepEqual(Object.keys(verdict), ['id', 'outcome', 'decidedBy', 'symptom', 'hops', 'steps', 'text'])
  assert.deepEqual(Object.keys(verdict.hops[0]), ['from', 'to', 'tuple', 'as'])
  assert.deepEqual(Object.keys(verdict.hops[0].tuple), ['src', 'dst', 'port', 'protocol'])
  assert.deepEqual(Object.keys(verdict.steps[3]), ['hop', 'point', 'engine', 'layer', 'outcome', 'code', 'isolatedBy'])
  assert.deepEqual(Object.keys(verdict.steps[3].isolatedBy[0]), ['policy', 'layer', 'at'])
  assert.equal(line.includes('null'), false)
})

test('a bad line stands in its place with its number, and only a bad line fails the batch', () => {
  const good = '{"from":{"workload":"shop/sleep"},"to":{"service":"shop/web-api"},"port":80}'
  const mixed = verdictBatch(['', good, '{"id":"x"}', '[]', good], snapshot)
  const lines = [...mixed].map((line) => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ outcome, line, id, error }) => outcome ?? [line, id, error.code]),
    ['allow', [3, 'x', 'flow.invalid'], [4, null, 'flow.invalid'], 'allow'],
  )
  assert.equal(mixed.failed, true)
  const clean = verdictBatch([good, ' '], snapshot)
  assert.equal([...clean].length, 1)
  assert.equal(clean.failed, false)
})

test('stable output does not change when other objects are added', async () => {
  const more = await loadManifests([`${folder}/manifests`], { relativeTo: `${folder}/manifests` })
  const other = compile([...more.resources].reverse(), { nodes: ['a', 'b', 'c'] })
  const lines = flows.split('\n').slice(0, 4)
  assert.deepEqual(
    [...verdictBatch(lines, other, { stable: true })],
    [...verdictBatch(lines, snapshot, { stable: true })],
  )
  assert.notDeepEqual([...verdictBatch(lines, other)], [...verdictBatch(lines, snapshot)])
})

test('whatever the lines are: one line out for each, in order, JSON, with its number', () => {
  const parties = fc.constantFrom<object>(
    { workload: 'shop/sleep' },
    { workload: 'shop/web-api' },
    { service: 'shop/web-api' },
    { service: 'shop/front-door-istio' },
    { workload: 'shop/front-door-istio' },
    { namespace: 'shop', labels: { app: 'x' } },
    { external: '203.0.113.7' },
    { node: 'bulkhead-worker' },
    { ip: '127.0.0.1' },
    { ip: '2001:db8::1' },
    { host: 'web-api' },
    { host: 'api.github.com' },
  )
  const mostly = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 9, arbitrary }, { weight: 1, arbitrary: fc.anything() })
  const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: mostly(arbitrary) })
  const flow = fc.record({
    id: seldom(fc.string()),
    from: mostly(parties),
    to: mostly(parties),
    port: mostly(fc.constantFrom(80, 8080, 9090, 15008, 15006)),
    protocol: seldom(fc.constantFrom('TCP', 'UDP', 'SCTP', 'ICMP')),
    certificate: seldom(fc.constantFrom('none', 'self-signed', 'expired', 'other-domain', 'stolen')),
    http: seldom(fc.constantFrom({ method: 'GET', path: '/' }, { method: 'GET', path: '/api', host: 'shop.example' })),
  })
  const text = flow.map((value) => JSON.stringify(value))
  const line = fc.oneof(fc.string(), fc.json(), text, text, text)
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
      const output = [...verdictBatch(lines, snapshot, { stable: true })]
      const asked = [...lines.entries()].filter(([, text]) => text.trim() !== '')
      assert.equal(output.length, asked.length)
      for (const [index, [at]] of asked.entries()) {
        const json = output[index] ?? ''
        assert.ok(!json.includes('\n'))
        const { outcome, error, line: number, steps } = JSON.parse(json)
        if (error === undefined) assert.ok(steps.length > 0, 'a verdict without a step')
        else assert.equal(number, at + 1)
        const kind = error === undefined ? outcome : 'error'
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
      assert.deepEqual([...verdictBatch(lines, snapshot, { stable: true })], output, 'the same again')
    }),
    { numRuns: 1000 },
  )
  for (const kind of ['allow', 'deny', 'unknown', 'error']) assert.ok(seen.has(kind), `${kind} never comes up`)
})

test('a line of great depth or length is a bad line, and a byte order mark is none', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const good = '{"from":{"workload":"shop/sleep"},"to":{"service":"shop/web-api"},"port":80}'
  const lines = [deep, `{"from":${deep}}`, `{"id":"${'x'.repeat(1_000_000)}"}`, `\uFEFF${good}`]
  const output = [...verdictBatch(lines, snapshot)].map((line) => JSON.parse(line))
  assert.deepEqual(
    output.map(({ outcome, error }) => outcome ?? error.code),
    ['flow.invalid', 'flow.invalid', 'flow.invalid', 'allow'],
  )
  for (const { error } of output.slice(0, 3)) assert.ok(error.message.length < 300)
})

test('stable output names no address that depends on where a pod was put', async () => {
  const host = resource({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'host', namespace: 'shop' },
    spec: { hostNetwork: true, containers: [] },
  })
  const line = '{"from":{"workload":"shop/host"},"to":{"workload":"shop/web-api"},"port":8080}'
  const [first] = verdictBatch([line], compile([...resources, host]), { stable: true })
  const [second] = verdictBatch([line], compile([...resources, host], { nodes: ['a'] }), { stable: true })
  assert.equal(first, second)
  assert.doesNotMatch(first ?? '', /172\.18/)
})
