import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compile } from '../model/compile.js'
import { whyRefused } from '../points/http/refused.js'
import { splitPath } from '../routes/path.js'
import { naivePath } from '../testing/naive-path.js'
import { askEngine, askNaive, naiveClusterOf } from '../testing/waypoint-ask.js'
import {
  gatewayVectors,
  layeredVectors,
  type Vector,
  waypointVectors,
  ztunnelVectors,
} from '../testing/waypoint-vectors.js'

/*
 * The golden vectors of requests and waypoints (semantics G.3, G.4) against the naive evaluators, and against the engine:
 * where the two agree in naive-waypoint.test.ts, they agree on what was written down before either.
 */

const networkKinds = ['NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy']

function answers({ resources, call }: Vector): unknown[] {
  const snapshot = compile(resources)
  const networks = resources.filter(({ kind }) => networkKinds.includes(kind))
  const cluster = naiveClusterOf(snapshot, resources, networks, snapshot.waypointsReadyOnce)
  const { outcome, by, symptoms } = askNaive(cluster, resources, call)
  const verdict = askEngine(snapshot, call)
  const step = verdict.decidedBy && verdict.steps[verdict.decidedBy.step]
  return [
    [outcome, symptoms[0], ...(by === undefined ? [] : [by.hop, by.point, by.codes[0]])],
    [verdict.outcome, verdict.symptom, ...(step === undefined ? [] : [step.hop, step.point, step.code])],
  ]
}

for (const [what, vectors] of Object.entries({
  'at a waypoint': waypointVectors,
  'by a gateway': gatewayVectors,
  'at a ztunnel': ztunnelVectors,
  'through several layers': layeredVectors,
}))
  test(`golden vectors ${what}`, async (t) => {
    for (const vector of vectors)
      await t.test(vector.name, () => assert.deepEqual(answers(vector), [vector.answer, vector.answer]))
  })

test('what a proxy reads of a path', () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ['/a/b', '/a/b'],
    ['//a', '//a'],
    ['/a//b', '/a//b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/..', '/'],
    ['/a/b/..', '/a/'],
    ['/a//..', '/a/'],
    ['/../../a', '/a'],
    ['/a/%2e%2E/b', '/b'],
    ['/a/.%2e', '/'],
    ['/a/...', '/a/...'],
    ['/a\\..\\b', '/b'],
    ['/a%5Cb', '/a%5Cb'],
    ['/a%2Fb', '/a%2Fb'],
    ['/a%2fb', '/a%2fb'],
    ['/%61%7E%2D', '/a~-'],
    ['/%3Ba', '/%3Ba'],
    ['/a;x=1/../b', '/b'],
    ['/a{b}', '/a%7Bb%7D'],
    ['/a?x=/../b', '/a?x=/../b'],
    ['/a?%61', '/a?%61'],
    ['/a#b?c', '/a'],
    ['/A', '/A'],
    ['/a%00b', null],
    ['/a b', null],
    ['/a\tb', null],
    ['a', null],
    ['', null],
  ]
  for (const [target, path] of rows) assert.equal(naivePath(target), path, target)
})

test('paths: the engine and the naive evaluator read the same', () => {
  const pieces = [
    '/',
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2E',
    '%2F',
    '%5c',
    '%61',
    '%7E',
    '%00',
    '%3B',
    '%25',
    ';',
    'a',
    'B',
    '?',
    '#',
  ]
  const odd = ['//', '|', '{', '"', '<', '^', '`', '[', '*', '~', '-', ' ', '\t', '=', '&', ':', '@']
  const text = fc.array(fc.constantFrom(...pieces, ...pieces, ...odd), { maxLength: 9 }).map((parts) => parts.join(''))
  let refused = 0
  let changed = 0
  fc.assert(
    fc.property(fc.constantFrom('/', '/', '/', '/', ''), text, (start, rest) => {
      const path = start + rest
      const read =
        whyRefused({ method: 'GET', host: 'a', path, headers: {} }) === undefined ? splitPath(path) : undefined
      const naive = naivePath(path)
      assert.equal(read === undefined ? null : read.path + read.query, naive, path)
      if (naive === null) refused += 1
      else if (naive !== path) changed += 1
    }),
    { numRuns: 3000 },
  )
  assert.ok(refused > 100 && changed > 500, `${refused} refused, ${changed} changed`)
})
