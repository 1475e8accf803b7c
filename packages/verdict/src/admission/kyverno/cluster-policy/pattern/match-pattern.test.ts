import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../limits.js'
import { matchPattern } from './match-pattern.js'
import { pathText } from './problem.js'

/*
 * Patterns over whole objects: anchors, lists, paths. Golden vectors 148 to 150 are among them.
 */

type Row = readonly [what: string, object: unknown, pattern: unknown, answer: string]

const pod = (...containers: readonly unknown[]) => ({ spec: { containers } })
const latest = pod({ name: '*', '(image)': '*:latest | !*:*', imagePullPolicy: '!Always' })
const container = (image: string, imagePullPolicy: string) => ({ name: 'c', image, imagePullPolicy })
const everyName = { metadata: { labels: { 'app.*': '?*' } } }

const rows: readonly Row[] = [
  ['a key is required', {}, { a: 1 }, 'fail /a/'],
  ['what the pattern does not name does not matter', { a: 1, b: 2 }, { a: 1 }, 'pass'],
  ['=: only where it is there', {}, { '=(a)': 1 }, 'pass'],
  ['=: there, and not as wanted', { a: 2 }, { '=(a)': 1 }, 'fail /a/'],
  ['X: may not be there', { a: null }, { 'X(a)': 'x' }, 'fail /a/'],
  ['X: is not there', {}, { 'X(a)': 'x' }, 'pass'],
  ['(): met, and the rest does not fit', { a: 1, b: 2 }, { '(a)': 1, b: 3 }, 'fail /b/'],
  ['(): not met, the rest is not looked at', { a: 2, b: 2 }, { '(a)': 1, b: 3 }, 'skip'],
  ['(): the key is missing', { b: 2 }, { '(a)': 1, b: 3 }, 'skip'],
  ['<: not met, the whole rule is not asked', { a: 1, spec: { b: 2 } }, { '<(a)': 2, spec: { b: 3 } }, 'skip'],
  ['<: missing, and the rest counts', { spec: { b: 2 } }, { '<(a)': 2, spec: { b: 3 } }, 'fail /spec/b/'],
  ['<: deep inside, and still the whole rule', { a: { c: 1 }, b: 2 }, { a: { '<(c)': 2 }, b: 3 }, 'skip'],
  ['^: one element is enough', { a: [{ n: 1 }, { n: 2 }] }, { '^(a)': [{ n: 2 }] }, 'pass'],
  ['^: none has it', { a: [{ n: 1 }] }, { '^(a)': [{ n: 2 }] }, 'fail /a/'],
  ['^: of several wanted ones each', { a: [{ n: 1 }] }, { '^(a)': [{ n: 1 }, { n: 2 }] }, 'fail /a/'],
  ['^: no list', {}, { '^(a)': [{ n: 2 }] }, 'pass'],
  [
    '148: an element whose condition is not met is left out',
    pod(container('a:latest', 'Never'), container('b:1', 'Always')),
    latest,
    'pass',
  ],
  [
    'and the others count',
    pod(container('b:1', 'Always'), container('a', 'Always')),
    latest,
    'fail /spec/containers/1/imagePullPolicy/',
  ],
  ['left out are all: the rule is not asked', pod(container('b:1', 'Always')), latest, 'skip'],
  ['149: each element is looked at', pod({ n: 1 }, { n: 2 }), pod({ n: 1 }), 'fail /spec/containers/1/n/'],
  ['150: * is no null', { spec: { livenessProbe: null } }, { spec: { livenessProbe: '*' } }, 'fail /spec/'],
  ['* is anything else', { spec: { livenessProbe: {} } }, { spec: { livenessProbe: '*' } }, 'pass'],
  ['an empty list has nothing that does not fit', pod(), pod({ n: 1 }), 'pass'],
  ['a list that is missing does', { spec: {} }, pod({ n: 1 }), 'fail /spec/containers/'],
  ['each of a list of plain values', { a: ['x', 'y'] }, { a: ['x'] }, 'fail /a/'],
  ['a plain pattern against a list: each of it', { a: [1, 2] }, { a: '<3' }, 'pass'],
  ['an object where a list is wanted', { a: {} }, { a: [{ n: 1 }] }, 'fail /a/'],
  ['lists of lists by their place', { a: [['x'], ['y']] }, { a: [['x'], ['z']] }, 'fail /a/1/'],
  ['a list of lists that is too short has no path', { a: [['x']] }, { a: [['x'], ['z']] }, 'error'],
  ['a pattern of no elements', { a: [] }, { a: [] }, 'fail /a/'],
  ['wildcards in a label', { metadata: { labels: { 'app.x': 'y' } } }, everyName, 'pass'],
  ['a label that nothing fits', { metadata: { labels: { b: 'y' } } }, everyName, 'fail /metadata/labels/app.*/'],
  ['a missing key that an anchor asked for is an error of the rule', { a: 2 }, { a: 1, '^(b)': [{ n: 1 }] }, 'error'],
  ['a key named like a property of every object', { a: 1 }, { constructor: '?*' }, 'fail /constructor/'],
  ['an anchor around such a key', {}, { '=(__proto__)': 1, 'X(constructor)': 'x' }, 'pass'],
]

for (const [what, object, pattern, expected] of rows)
  test(what, () => {
    const { outcome, path } = matchPattern(object, pattern, new Budget())
    assert.equal(path === undefined ? outcome : `${outcome} ${pathText(path)}`, expected)
  })

test('Kyverno knows a condition by the words of its message, also where an object says them', () => {
  const { outcome } = matchPattern({ a: 'conditional anchor mismatch' }, { a: 'x' }, new Budget())
  assert.equal(outcome, 'skip')
})
