import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspected } from '../testing/index.js'
import { isDone } from './done.js'
import { command } from './testing.js'
import type { Done } from './types.js'

const answer = (stdout: string, code = 0) => ({ command: command('kubectl'), code, stdout, stderr: '', durationMs: 1 })
const images: Done = {
  command: command('kubectl'),
  holds: { kind: 'images', images: ['mongo:8', 'postgres:18'], nodes: ['w1', 'w2'] },
}
const node = (name: string, ...names: readonly string[]) => ({
  metadata: { name },
  status: { images: names.map((one) => ({ names: [one] })) },
})
const nodes = (...items: readonly object[]) => answer(JSON.stringify({ items }))

test('images are there when every node that is meant has every one of them', () => {
  assert.equal(
    isDone(images, nodes(node('w1', 'mongo:8', 'postgres:18', 'x'), node('w2', 'postgres:18', 'mongo:8'), node('c'))),
    'done',
  )
  assert.equal(isDone(images, nodes(node('w1', 'mongo:8', 'postgres:18'), node('w2', 'mongo:8'))), 'not')
  assert.equal(isDone(images, nodes(node('w1', 'mongo:8', 'postgres:18'))), 'not')
})

test('the host outside is there when it is ours, runs, has an address, and is of the image as it is now', () => {
  const outside: Done = { command: command('docker'), holds: { kind: 'outside' } }
  const is = (given: Parameters<typeof inspected>[0]) =>
    isDone(outside, answer(inspected({ wanted: 'sha256:1', ...given })))
  assert.equal(is({}), 'done')
  for (const given of [{ running: false }, { address: '' }, { image: 'sha256:old' }])
    assert.deepEqual(is(given), { inTheWay: 'ours' }, JSON.stringify(given))
  assert.deepEqual(is({ label: '' }), { inTheWay: 'foreign' })
  // Docker ends with 1 where there is no image of that name, and tells of the container.
  assert.deepEqual(isDone(outside, answer(inspected(), 1)), { inTheWay: 'ours' })
  assert.equal(isDone(outside, answer('[]', 1)), 'not')
})

test('an answer that is none means that it is not known to be done', () => {
  for (const text of ['', 'null', '{', '[]', '{"items":[{}]}']) assert.equal(isDone(images, answer(text)), 'not', text)
  assert.equal(isDone(images, answer('{}', 1)), 'not')
  const release: Done = {
    command: command('helm'),
    holds: { kind: 'release', name: 'r', namespace: 'n', chart: 'r-1' },
  }
  for (const text of ['', 'null', '{}', '[]', '[{"name":"other","status":"deployed","chart":"r-1"}]'])
    assert.equal(isDone(release, answer(text)), 'not', text)
})
