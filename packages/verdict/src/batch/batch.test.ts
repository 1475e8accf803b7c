import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
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
