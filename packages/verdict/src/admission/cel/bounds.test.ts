import assert from 'node:assert/strict'
import { test } from 'node:test'
import { said } from '../../testing/cel.js'
import { Budget, CelBudgetError, compileCel } from './index.js'
import { LIMITS } from './parse.js'

/*
 * Nothing that an expression or an object holds may hang, overflow the stack or eat memory: each of these ends, with an
 * error that says what was too much. Beside each stands one of the same kind that is within the bounds.
 */

const spent = 'error: the expressions take more than 2000000 steps'
const big = { list: Array.from({ length: 10_000 }, (_, index) => index), text: 'a'.repeat(1_000_000) }
const ask = (source: string): string => said(source, { object: big })

test('comprehensions within comprehensions', () => {
  assert.equal(ask('object.list.all(a, object.list.all(b, a + b >= 0))'), spent)
  assert.equal(ask('object.list.map(a, object.list.map(b, object.list.map(c, c))).size() > 0'), spent)
  assert.equal(ask('object.list.exists(a, object.list.exists(b, false) || object.nope)'), spent)
  assert.equal(ask('object.list.all(a, a >= 0) && object.list.exists(a, a == 9999)'), 'true')
})

test('values that double', () => {
  const doubled = (times: number): string =>
    Array.from({ length: times }).reduce<string>(
      (body, _, n) => `cel.bind(v${times - n}, v${times - n - 1} + v${times - n - 1}, ${body})`,
      `size(v${times})`,
    )
  const from = (start: string, times: number): string => `cel.bind(v0, ${start}, ${doubled(times)})`
  assert.equal(said(from("'ab'", 60)), 'error: a string would be longer than 16777216 characters')
  assert.equal(said(from('[1, 2]', 60)), spent)
  assert.equal(said(from("b'ab'", 60)), spent)
  assert.equal(said(from("'ab'", 10)), '2048')
})

test('strings that grow', () => {
  assert.match(ask("object.text.replace('', object.text)"), /^error: a string would be longer than/)
  assert.match(
    ask("object.list.map(i, object.text).join(',')"),
    /^error: (a string would be longer|the expressions take more)/,
  )
  assert.match(ask("'%s%s'.format([object.list.map(i, object.text), 1])"), /^error: /)
  assert.equal(ask("object.text.replace('a', 'b').size()"), '1000000')
})

test('regular expressions: linear, and counted', () => {
  assert.equal(ask("object.text.matches('(a+)+$b')"), 'false')
  assert.equal(ask("object.list.exists(i, object.text.matches('(a|b|ab)*c'))"), spent)
  const program = compileCel("object.text.matches('(a|b|ab)*c')", { roots: new Map([['object', 'dyn']]) })
  const budget = new Budget()
  program.evaluate({ roots: new Map([['object', big]]), budget })
  assert.ok(2_000_000 - budget.left >= 300_000, `${budget.left} steps are left after a million letters`)
  assert.match(said("'a'.matches('((((a{100}){100}){100}){100})')"), /^error: error parsing regexp/)
})

test('depth, length and number', () => {
  assert.match(said(`${'!'.repeat(45_000)}true`), /^mistake at \d+: the expression is nested deeper than 250 levels/)
  const deep = `the expression is nested deeper than ${LIMITS.depth} levels`
  for (const [open, close] of [
    ['(', ')'],
    ['[', ']'],
    ['!', ''],
    ['-', ''],
    ['{1: ', '}'],
    ['a.', ''],
    ['Object{a: ', '}'],
    ['f(', ')'],
  ] as const) {
    const source = `${open.repeat(9_000)}1${close.repeat(9_000)}`
    assert.match(
      said(source),
      /^mistake at \d+: (syntax error: Exceeded|the expression is nested deeper|syntax error)/,
      open,
    )
  }
  assert.match(said(`1${' + 1'.repeat(1_000)}`), new RegExp(deep))
  assert.equal(said(`1${' + 1'.repeat(200)}`), '201')
  assert.match(
    said(`'${'a'.repeat(LIMITS.characters)}'`),
    /^mistake at 0: the expression is longer than 100000 characters/,
  )
  assert.equal(said(`true${' && true'.repeat(4_000)}`), 'true')
  assert.equal(said(`false${' || false'.repeat(4_000)}`), 'false')
  assert.match(said(`true${' && (true'.repeat(9_000)}${')'.repeat(9_000)}`), /^mistake at \d+: /)
})

test('objects that are deep or wide', () => {
  const nested = (): unknown => JSON.parse(`${'['.repeat(5_000)}1${']'.repeat(5_000)}`)
  const deep = nested()
  assert.match(said("'%s'.format([object])", { object: deep }), /^error: /)
  assert.match(said('object == other', { object: deep, other: nested() }), /^(true|error: )/)
  const wide = Object.fromEntries(Array.from({ length: 300_000 }, (_, index) => [`k${index}`, index]))
  assert.equal(said('object.exists(k, k == "k299999") && object.size() == 300000', { object: wide }), 'true')
  assert.equal(said('object.all(k, object.all(j, true))', { object: wide }), spent)
})

test('the steps are the policy’s: several expressions share them', () => {
  const program = compileCel('object.list.all(x, x >= 0)', { roots: new Map([['object', 'dyn']]) })
  const budget = new Budget()
  const activation = { roots: new Map([['object', big]]), budget }
  assert.equal(program.evaluate(activation), true)
  const once = 2_000_000 - budget.left
  assert.ok(once > 10_000, `${once} steps`)
  assert.throws(() => {
    for (;;) program.evaluate(activation)
  }, CelBudgetError)
})
