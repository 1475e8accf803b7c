import assert from 'node:assert/strict'
import { test } from 'node:test'
import { said } from '../../testing/cel.js'

const object = {
  kind: 'Pod',
  metadata: { name: 'x', labels: { app: 'a', 'app.kubernetes.io/name': 'z', constructor: 'c', __proto__x: 'p' } },
  spec: { replicas: 3, ratio: 1.5, none: null, containers: [{ name: 'a', image: 'nginx' }, { name: 'b' }] },
}

function table(name: string, rows: readonly (readonly [source: string, wanted: string])[]): void {
  test(name, () => {
    for (const [source, wanted] of rows) assert.equal(said(source, { object }), wanted, source)
  })
}

table('whole numbers of objects are ints, others doubles; no object is copied', [
  ['object.spec.replicas + 1', '4'],
  ['object.spec.replicas == 3 && object.spec.replicas == 3.0 && object.spec.replicas > 2u', 'true'],
  ['object.spec.ratio * 2.0', '3.0'],
  ['object.spec.replicas / 2', '1'],
  ['type(object.spec.replicas) == int && type(object.spec.ratio) == double', 'true'],
  ['object.spec.replicas + 1.0', 'error: no such overload'],
  ['9223372036854775807 + 1', 'error: integer overflow'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['9223372036854775808', 'mistake at 0: syntax error: integer overflow'],
  ['1 / 0', 'error: division by zero'],
])

table('values of different types are not equal, and have no order', [
  ["object.spec.replicas == 'a'", 'false'],
  ['object.spec.none == null && object.metadata != null', 'true'],
  ["object.metadata.name < 'y'", 'true'],
  ['object.metadata.name < object.spec.replicas', 'error: no such overload'],
  ["'😀' > '\ufffd' && 'a' < 'ab' && 'b' > 'ab'", 'true'],
  ["[1, 'a', {'b': 2.0}] == [1u, 'a', {'b': 2}]", 'true'],
  ['[1] == null', "mistake at 0: found no matching overload for '_==_' applied to '(list, null_type)'"],
  ["dyn('a') == null || duration('1s') == null || optional.none() == null", 'false'],
  ["'a' == 1", "mistake at 0: found no matching overload for '_==_' applied to '(string, int)'"],
])

table('an operand that decides does so whatever the other ends with', [
  ['object.nope.x || true', 'true'],
  ['true || object.nope.x', 'true'],
  ['object.nope.x && false', 'false'],
  ['object.nope.x || false', 'error: no such key: nope'],
  ['object.metadata.name || true', 'true'],
  ['[1, 0].exists(x, 1 / x == 1)', 'true'],
  ['[0, 1].exists(x, 1 / x == 1)', 'true'],
  ['[0, 2].all(x, 1 / x == 1)', 'false'],
  ['[0, 1].all(x, 1 / x == 1)', 'error: division by zero'],
  ['[0, 1].exists_one(x, 1 / x == 1)', 'error: division by zero'],
])

table('has() is about the last field alone: a parent that is missing is an error', [
  ['has(object.spec.replicas)', 'true'],
  ['has(object.spec.nope)', 'false'],
  ['has(object.nope.x)', 'error: no such key: nope'],
  ['has(object.spec.none.x)', 'error: no such overload'],
  ['has(object.?nope.x)', 'false'],
  ['has(object)', 'mistake at 0: invalid argument to has() macro'],
])

table('optionals', [
  ["object.spec.?nope.x.orValue('d')", '"d"'],
  ["object.spec.?replicas.orValue('d')", '3'],
  ['object.spec.containers[?7].?name', 'none'],
  ['object.spec.containers[?0].?name', 'some("a")'],
  ['object.spec.replicas.orValue(7)', '3'],
  ['optional.of(3).optMap(x, x + 1)', 'some(4)'],
  ['optional.of(3).optFlatMap(x, optional.none())', 'none'],
  ['object.spec.?nope.or(object.spec.?replicas).value()', '3'],
  ['optional.none().value()', 'error: optional.none() dereference'],
  ['[?object.spec.?nope, ?object.spec.?replicas, 1]', '[3, 1]'],
  ["{?'a': object.spec.?nope, 'b': 1}", '{"b": 1}'],
  ['object.spec.?nope.hasValue()', 'false'],
  ["{?true ? 'a' : 'b': optional.of(1), 'c': false ? 1 : 2}", '{"a": 1, "c": 2}'],
])

table('comprehensions, with one variable and with two', [
  ['[1, 2, 3].map(x, x * 2)', '[2, 4, 6]'],
  ['[1, 2, 3].map(x, x > 1, x * 2)', '[4, 6]'],
  ["{'a': 1, 'b': 2}.filter(k, k != 'a')", '["b"]'],
  ['[3, 4].all(i, v, v == i + 3)', 'true'],
  ["{'a': 1}.exists(k, v, k == 'a' && v == 1)", 'true'],
  ['[1, 1].existsOne(i, v, i == 1)', 'true'],
  ['[5, 6].transformList(i, v, i + v)', '[5, 7]'],
  ['[5, 6].transformList(i, v, v > 5, i + v)', '[7]'],
  ["{'a': 1}.transformMap(k, v, v + 1)", '{"a": 2}'],
  ['[[1, 2], [3]].map(l, l.map(x, x + l.size()))', '[[3, 4], [4]]'],
  ['cel.bind(x, [1, 2], x + x)', '[1, 2, 1, 2]'],
  ['1.map(x, x)', "error: expression of type 'int' cannot be the range of a comprehension"],
  ['object.spec.containers.map(c, c.name)', '["a", "b"]'],
])

table('messages, with reserved names, optional fields, strings and comments that look like them', [
  ['Object{spec: Object.spec{replicas: 3}}', 'Object{"spec": Object.spec{"replicas": 3}}'],
  [
    "Object{metadata: Object.metadata{namespace: 'x', ?labels: optional.none()}}",
    'Object{"metadata": Object.metadata{"namespace": "x"}}',
  ],
  ["[JSONPatch{op: 'add', path: '/x', value: {'a': 1}}]", '[JSONPatch{"op": "add", "path": "/x", "value": {"a": 1}}]'],
  ['\'Object{a: 1}\' + "{"', '"Object{a: 1}{"'],
  ['Object{ // Object{\n a: [1, 2].map(x, Object.b{c: x}) }', 'Object{"a": [Object.b{"c": 1}, Object.b{"c": 2}]}'],
  ["'a' in {'a': 1}", 'true'],
  ["{'a': true ? 1 : 2}.a", '1'],
  ['Object{}', 'Object{}'],
  ['object.metadata.labels.`app.kubernetes.io/name`', '"z"'],
  ['has(object.metadata.labels.`nope/x`)', 'false'],
  ['object.metadata.labels.?`nope/x`.orValue("d")', '"d"'],
])

table("a name of JavaScript's is a key like any other", [
  ["object.metadata.labels['constructor']", '"c"'],
  ["object.metadata.labels['__proto__']", 'error: no such key: __proto__'],
  ['has(object.toString)', 'false'],
  ["'hasOwnProperty' in object.metadata", 'false'],
  ["{'__proto__': 1, 'constructor': 2}['__proto__']", '1'],
  ['{1: "a", 1u: "b"}', 'error: Failed with repeated key: 1'],
])

table('mistakes are told with their place in the expression as it is written', [
  ['1 +', 'mistake at 3: syntax error: Unexpected token: EOF'],
  ['object.a == Object{a: nope}', "mistake at 22: undeclared reference to 'nope'"],
  ['nope.a', "mistake at 0: undeclared reference to 'nope'"],
  ['[1].all(x.y, true)', 'mistake at 10: syntax error: all(var, predicate) invalid predicate iteration variable'],
  ["'a' && true", "mistake at 0: expected type 'bool' but found 'string'"],
  ['__message("Object", {})', "mistake at 0: '__message' is no name that an expression may use"],
  ['', 'mistake at 0: syntax error: Unexpected token: EOF'],
])

test('lists of one kind alone, where values of objects are judged', () => {
  assert.equal(said("[1, 'a']", {}, { mixed: false }), "mistake at 0: expected type 'int' but found 'string'")
  assert.equal(said('[1, object.spec.replicas]', { object }, { mixed: false }), '[1, 3]')
})

test('what is not modelled has a name, and is no mistake', () => {
  const foreign = new Set(['http', 'hash', 'authorizer'])
  for (const [source, wanted] of [
    ["http.Get('http://x').a == 1", 'http.Get()'],
    ["http.Client('pem').Get('http://x').a == 1", 'http.Client(), Get()'],
    ['sha256("a") == "b"', 'sha256()'],
    [
      "authorizer.group('').resource('pods').check('get').allowed()",
      'authorizer.group(), resource(), check(), allowed()',
    ],
    ["regex.replace('a', 'b', 'c') == ''", 'regex.replace()'],
  ] as const) {
    assert.equal(said(source, {}, { foreign }), `not modelled: ${wanted}`, source)
  }
})

test('a function that no cluster has is a mistake at its place, as cel-go says it, and which one was meant', () => {
  const foreign = new Set(['http'])
  for (const [source, wanted] of [
    [
      "true && object.image.endWith(':latest')",
      /^mistake at \d+: undeclared reference to 'endWith'; did you mean "endsWith"\?$/,
    ],
    ['foo(object)', /^mistake at 0: undeclared reference to 'foo'$/],
    ['object.list.exist(x, x == 1)', /^mistake at \d+: undeclared reference to 'exist'; did you mean "exists"\?$/],
    ["http.Gett('http://x')", /^mistake at \d+: undeclared reference to 'http.Gett'; did you mean "http.Get"\?$/],
    ["strings.qoute('x')", /^mistake at \d+: undeclared reference to 'strings.qoute'; did you mean "strings.quote"\?$/],
    // Kyverno's, where Kyverno is not the one that evaluates.
    ["sha256('a')", /^mistake at 0: undeclared reference to 'sha256'$/],
    [
      "startsWith(object.image, 'x')",
      /^mistake at 0: found no matching overload for 'startsWith': it is written x\.startsWith\(\.\.\.\)$/,
    ],
    [
      'object.cpu.quantity()',
      /^mistake at \d+: found no matching overload for 'quantity': it is written quantity\(x\)$/,
    ],
    ['object.list.exists(1)', /^mistake at \d+: found no matching overload for 'exists' with 1 arguments$/],
  ] as const) {
    assert.match(said(source, { object }, { foreign }), wanted, source)
  }
})
