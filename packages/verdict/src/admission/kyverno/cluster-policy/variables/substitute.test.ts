import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../limits.js'
import { allVariables } from './braces.js'
import { Context } from './context.js'
import { substitute } from './substitute.js'

const data = {
  request: { operation: 'CREATE', object: { metadata: { name: 'web', labels: { key: 'name' } }, size: 3 } },
  list: ['a', 'b'],
  key: 'size',
  evil: '{{ list }} and {{ request.object.size }}',
  itself: 'x{{ itself }}',
}
const context = (more: object = {}) => new Context({ ...data, ...more }, new Budget())
const put = (document: unknown) => substitute(document, context())

const rows: readonly (readonly [what: string, document: unknown, result: unknown])[] = [
  ['a text without variables', 'a { b } }}', 'a { b } }}'],
  ['one variable alone keeps its type', '{{ request.object.size }}', 3],
  ['a list, too', '{{list}}', ['a', 'b']],
  ['inside of a text it is text', 'n={{ request.object.size }};', 'n=3;'],
  ['a list is JSON then', '{{ list }}!', '["a","b"]!'],
  ['several, next to each other', '{{ key }}{{ key }}-{{key}}', 'sizesize-size'],
  ['one inside of another', '{{ request.object.{{ key }} }}', 3],
  ['braces of an object inside', '{{ {a: key} }}', { a: 'size' }],
  ['behind a backslash there is none', '\\{{ key }} {{ key }}', '{{ key }} size'],
  ['keys', { 'x-{{ key }}': { y: '{{ key }}' } }, { 'x-size': { y: 'size' } }],
  ['lists', ['{{ key }}', 1, null], ['size', 1, null]],
  ['what is put in is looked at again', 'is {{ evil }}', 'is ["a","b"] and 3'],
  ['but not with a dash', 'is {{- evil }}', 'is {{ list }} and {{ request.object.size }}'],
  ['a reference to another place', { a: { b: '7' }, c: '$(../a/b)' }, { a: { b: '7' }, c: '7' }],
  ['with an operator, from the root', { a: { b: 5 }, c: '$(<=/a/b)' }, { a: { b: 5 }, c: '<=5' }],
  ['through anchors', { '=(a)': { '(b)': 'z' }, c: '$(/a/b)' }, { '=(a)': { '(b)': 'z' }, c: 'z' }],
  ['behind a backslash there is none of those either', { c: '\\$(x)' }, { c: '$(x)' }],
  ['a field named like a property of every object', { __proto__x: '{{ key }}' }, { __proto__x: 'size' }],
]

for (const [what, document, result] of rows)
  test(what, () => {
    assert.deepEqual(put(document), result)
  })

test('`@` is the own value of the object at the place', () => {
  const object = { spec: { containers: [{ image: 'nginx' }] } }
  const patch = { mutate: { patchStrategicMerge: { spec: { containers: [{ image: 'r/{{@}}' }] } } } }
  const found = substitute(patch, context({ request: { operation: 'CREATE', object } }))
  assert.deepEqual(found, { mutate: { patchStrategicMerge: { spec: { containers: [{ image: 'r/nginx' }] } } } })
})

test('of a DELETE, request.object is what was there', () => {
  const request = { operation: 'DELETE', object: null, oldObject: { a: 1 } }
  assert.equal(substitute('{{ request.object.a }}', context({ request })), 1)
})

test('a variable without a value is an error with its place', () => {
  assert.throws(
    () => put({ a: [{ b: 'x {{ request.object.none }}' }] }),
    /^QueryError: failed to resolve request\.object\.none at path \/a\/0\/b: JMESPath query failed: Unknown key "none" in path$/,
  )
  assert.throws(() => put({ a: '$(/b)' }), /got nil resolved variable \$\(\/b\) at path \/a/)
})

test('a value that holds itself comes to an end', () => {
  assert.throws(() => put('x{{ itself }}'), { name: 'NotModelled' })
})

test('variables are found in one pass, however many braces are never closed', () => {
  const budget = new Budget(2_000_000)
  const text = '{{a'.repeat(300_000)
  assert.deepEqual(allVariables(text), [])
  assert.equal(
    substitute('{{ x }}'.concat('y'.repeat(1_000_000)), new Context({ x: 'z' }, budget)),
    `z${'y'.repeat(1_000_000)}`,
  )
})
