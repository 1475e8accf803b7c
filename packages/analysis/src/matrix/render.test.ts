import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cluster } from '../testing/arbitrary.js'
import {
  allow,
  authorizationPolicy,
  type Manifest,
  namespace,
  service,
  snapshotOf,
  workload,
} from '../testing/objects.js'
import { matrixJson } from './json.js'
import { matrixMarkdown } from './markdown.js'
import { matrix } from './matrix.js'
import { renderMatrix } from './render.js'

const people = ['one', 'two', 'three'].map((name) => workload(`a/${name}`))
const server = [workload('a/server'), service('a/server')]
const nothing = authorizationPolicy('a/allow-nothing', {})
const drawn = (objects: readonly Manifest[], columns?: number) =>
  renderMatrix(matrix(snapshotOf([namespace('a'), ...objects])), columns === undefined ? {} : { columns })

test('equal callers are one row, each column has its whole name, and the signs are told', () => {
  assert.equal(
    drawn([...people, ...server, nothing, allow('a/server', 'server', ['two'])]),
    `                          a/server:80
                          │  a/server:8080 (pod)
a/one, a/server, a/three  x  x
a/two                     ✓  ✓
outside                   ·  x

✓ allowed   x stopped by a policy outside of the layers   · nothing answers there
`,
  )
})

test('what stops a flow has the number of its layer, also where two isolate together', () => {
  const layers: Readonly<Record<string, string>> = { 'allow-nothing': '50-identity', server: '60-requests' }
  const snapshot = snapshotOf([namespace('a'), ...people, ...server, nothing, allow('a/server', 'server', [])], {
    layerOf: ({ metadata }) => layers[metadata.name],
  })
  const text = renderMatrix(matrix(snapshot))
  assert.match(text, /^a\/one, .* {2}(\d\d) \1$/m)
  assert.match(text, /\d\d stopped by (50-identity and 60-requests|60-requests|50-identity)/)
})

test('wide matrices are several tables, no line is too wide, and no name is cut', () => {
  const many = Array.from({ length: 30 }, (_, index) => service(`a/service-number-${index}`))
  for (const columns of [60, 80, 110]) {
    const text = drawn([...people, ...many], columns)
    for (const line of text.split('\n')) assert.ok(line.length <= columns, `${line.length} > ${columns}: ${line}`)
    for (let index = 0; index < 30; index++) assert.ok(text.includes(`a/service-number-${index}:80\n`))
    assert.ok(text.split('\n\n').length > 2)
  }
})

test('nothing to call, and names that are longer than the line', () => {
  assert.match(drawn([]), /^nothing is there that could be called/)
  const long = `a/${'very-'.repeat(11)}long`
  const text = drawn([workload('a/one'), workload(long), service(long)], 40)
  assert.ok(text.includes(`${long}:80\n`))
})

test('Markdown: a table with as many cells in each row, and names that are no markup', () => {
  const text = matrixMarkdown(matrix(snapshotOf([namespace('a'), ...people, ...server, nothing])))
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  assert.equal(new Set(rows.map((row) => row.split('|').length)).size, 1)
  assert.match(text, /^\| from \| a\/server:80 \| a\/server:8080 \(pod\) \|$/m)
})

test('JSON: the same keys in the same order, and nothing of addresses', () => {
  const { cells } = matrixJson(matrix(snapshotOf([namespace('a'), ...people, ...server, nothing])))
  for (const cell of cells) assert.deepEqual(Object.keys(cell), ['from', 'to', 'flow', 'outcome', 'symptom', 'by'])
  assert.doesNotMatch(JSON.stringify(cells), /10\.(244|96)\./)
})

test('random clusters are drawn whole: as many signs as cells', () => {
  fc.assert(
    fc.property(cluster, fc.integer({ min: 40, max: 140 }), (objects, columns) => {
      const found = matrix(snapshotOf(objects))
      const text = renderMatrix(found, { columns })
      for (const name of found.destinations) assert.ok(text.includes(name))
      for (const name of found.sources) assert.ok(text.includes(name) || found.destinations.length === 0)
    }),
    { numRuns: 50 },
  )
})
