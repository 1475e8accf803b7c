import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../limits.js'
import { Context } from './context.js'
import { readExpression } from './expression.js'

/*
 * JMESPath as Kyverno evaluates it: its functions, and that a field which is not there is an error.
 */

const data = {
  text: 'Hello',
  list: ['b', 'a'],
  numbers: [3, 1, 2],
  pod: { labels: { app: 'web', 'a/b': 'c' }, containers: [{ name: 'x', image: 'i' }, { name: 'y' }] },
  nothing: null,
}
const query = (text: string) => new Context(data, new Budget()).query(text)

const answers: readonly (readonly [string, unknown])[] = [
  ['to_upper(text)', 'HELLO'],
  ['to_lower(text)', 'hello'],
  ["trim('xxaxx', 'x')", 'a'],
  ["trim_prefix('v1', 'v')", '1'],
  ["split('a,b', ',')", ['a', 'b']],
  ["replace('aaa', 'a', 'b', `2`)", 'bba'],
  ["replace_all('aaa', 'a', 'bb')", 'bbbbbb'],
  ["regex_match('^H.*o$', text)", true],
  ["regex_match('^[0-9]+$', `12`)", true],
  ["regex_replace_all('([a-z])l', 'hello', '$1-')", 'he-lo'],
  ["regex_replace_all_literal('l', 'hello', '$1')", 'he$1$1o'],
  ["regex_replace_all('(x)?l', 'hello', '[$1]')", 'he[][]o'],
  ["regex_replace_all('(?P<a>e)', 'hello', '$a$$')", 'he$llo'],
  ["pattern_match('H*o', text)", true],
  ['label_match(`{"app": "web"}`, pod.labels)', true],
  ['label_match(`{"app": "db"}`, pod.labels)', false],
  ["to_boolean('TRUE')", true],
  ["add('1Gi', '512Mi')", '1536Mi'],
  ["add('10s', '1h')", '1h0m10s'],
  ['add(`1`, `2`)', 3],
  ["subtract('1', '250m')", '750m'],
  ["multiply('100Mi', `3`)", '300Mi'],
  ["divide('10Gi', '5Gi')", 2],
  ["divide('10s', `4`)", '2.5s'],
  ['modulo(`7`, `4`)', 3],
  ['sum(numbers)', 6],
  ['round(`3.14159`, `2`)', 3.14],
  ["base64_encode('hé')", 'aMOp'],
  ["base64_decode('aMOp')", 'hé'],
  ['truncate(text, `2`)', 'He'],
  ["semver_compare('1.2.3', '>=1.0.0 <2.0.0')", true],
  ["semver_compare('2.0.0-rc.1', '<2.0.0')", true],
  ["semver_compare('3.1.0', '1.x || 3.x')", true],
  ['parse_json(\'{"a": [1]}\').a', [1]],
  ["parse_yaml('a: {b: 1}').a.b", 1],
  ["lookup(pod.labels, 'app')", 'web'],
  ['lookup(list, `1`)', 'a'],
  ["items(pod.labels, 'k', 'v')[0]", { k: 'a/b', v: 'c' }],
  ['object_from_lists(list, numbers)', { b: 3, a: 1 }],
  ["path_canonicalize('/a//b/../c')", '/a/c'],
  ["image_normalize('nginx')", 'docker.io/nginx:latest'],
  ["is_external_url('http://10.1.2.3/x')", false],
  ["is_external_url('http://8.8.8.8')", true],
  ["equal_fold('AbC', 'aBc')", true],
  ["compare('a', 'b')", -1],
  ["time_add('2024-01-31T23:00:00Z', '2h')", '2024-02-01T01:00:00Z'],
  ["time_diff('2024-01-01T00:00:00Z', '2024-01-01T01:30:00+01:00')", '30m0s'],
  ["time_to_cron('2023-02-02T15:04:05Z')", '4 15 2 2 4'],
  ["time_between('2024-01-02T00:00:00Z', '2024-01-01T00:00:00Z', '2024-01-03T00:00:00Z')", true],
  ['to_number(`"12"`)', 12],
  ['to_string(pod.labels)', '{"a/b":"c","app":"web"}'],
  ['length(list)', 2],
  ['sort(list)', ['a', 'b']],
  ["contains(list, 'a')", true],
  ['map(&name, pod.containers)', ['x', 'y']],
  ['max_by(pod.containers, &name).name', 'y'],
  ["pod.containers[?name == 'x'].image | [0]", 'i'],
  ['pod.labels."a/b"', 'c'],
]

for (const [text, answer] of answers)
  test(`${text}`, () => {
    assert.deepEqual(query(text), answer)
  })

test('values are equal to their leaves, and nothing is equal to null but null', () => {
  for (const [text, answer] of [
    ['`{"a": [1, {"b": null}]}` == `{"a": [1, {"b": null}]}`', true],
    ['`{"a": 1}` == `{"b": 1}`', false],
    ['`[1]` == `{"0": 1}`', false],
    ['`null` == `{}`', false],
    ['`{}` == `null`', false],
    ['`[]` != `[1]`', true],
  ] as const)
    assert.equal(query(text), answer, text)
})

const missing: readonly (readonly [string, unknown])[] = [
  ["pod.none || 'x'", 'x'],
  ['pod.none.deeper || `[]`', []],
  ['pod.containers[].image', ['i']],
  ['pod.containers[*].none', []],
  ["pod.none == 'x'", false],
  ['!(pod.none)', true],
  ['length(pod.none || `[]`)', 0],
  ['[pod.none, text]', [null, 'Hello']],
  ['nothing.deeper', null],
  ['to_string(pod.none)', 'null'],
  ['pod.none[]', null],
]
for (const [text, answer] of missing)
  test(`a field that is not there is null here: ${text}`, () => {
    assert.deepEqual(query(text), answer)
  })

for (const text of [
  'none',
  'pod.none',
  'pod.none.deeper',
  'none[0]',
  'text && none',
  'map(&none, pod.containers)',
  'constructor',
])
  test(`and an error here: ${text}`, () => {
    assert.throws(() => query(text), /^QueryError: JMESPath query failed: Unknown key "(none|constructor)" in path$/)
  })

test('what a function is not made for is an error in its words', () => {
  assert.throws(() => query('to_upper(`1`)'), /JMESPath function 'to_upper': argument #1 is not of type string/)
  assert.throws(() => query('divide(`1`, `0`)'), /JMESPath function 'divide': Zero divisor passed/)
  assert.throws(() => query("add('1Gi', '1h')"), /JMESPath function 'add': Types mismatch/)
  assert.throws(() => query("regex_match('(', 'x')"), /JMESPath function 'regex_match'/)
  assert.throws(() => query("base64_decode('*')"), /illegal base64/)
})

test('what hangs on the moment or on chance is not modelled', () => {
  for (const text of [
    'time_now()',
    "random('[a-z]{5}')",
    "time_since('', 'a', 'b')",
    "is_external_url('http://example.org')",
  ])
    assert.throws(() => query(text), { name: 'NotModelled' })
})

test("what later editions of JMESPath know is none of Kyverno's", () => {
  for (const text of [
    'text - list',
    'let $x = text in $x',
    'text ? list : text',
    '$.text',
    'upper(text)',
    'zip(list, list)',
    'group_by(list, &a)',
  ])
    assert.throws(() => readExpression(text), { name: 'ExpressionError' }, text)
  assert.throws(() => readExpression('a.b['), /incorrect query a\.b\[/)
})
