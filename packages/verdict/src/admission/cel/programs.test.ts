import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CelProgram } from './index.js'
import { Budget, CelSyntaxError } from './index.js'
import { programOf } from './programs.js'
import type { Declarations } from './scope.js'

const declared = (): Omit<Declarations, 'variables'> => ({ roots: new Map([['object', 'dyn']]) })
const typed = (types: Readonly<Record<string, CelProgram['type']>>) => new Map(Object.entries(types))

test('the same text is read once, whichever other variables there are', () => {
  const kind = declared()
  const first = programOf('variables.a == 1', kind, typed({ a: 'int' }))
  assert.equal(programOf('variables.a == 1', kind, typed({ a: 'int', other: 'string' })), first)
  assert.notEqual(programOf('variables.a == 2', kind, typed({ a: 'int' })), first)
})

test('a variable of another type makes another program, and a variable less none', () => {
  const kind = declared()
  assert.equal(programOf('variables.a', kind, typed({ a: 'int' })).type, 'int')
  assert.equal(programOf('variables.a', kind, typed({ a: 'string' })).type, 'string')
  assert.throws(() => programOf('variables.a', kind, typed({ b: 'int' })), CelSyntaxError)
})

test('what one kind of policy may name another may not', () => {
  const kind = { ...declared(), roots: new Map([['params', 'dyn'] as const]) }
  programOf('params.x == 1', kind, new Map())
  assert.throws(() => programOf('params.x == 1', declared(), new Map()), /undeclared reference to 'params'/)
})

test('a variable that is added after an expression was read is not known to it', () => {
  const kind = declared()
  const variables = typed({ a: 'int' })
  const program = programOf('variables.a + 1', kind, variables)
  variables.set('a', 'string')
  const activation = { roots: new Map(), budget: new Budget(), variable: () => 1n }
  assert.equal(program.evaluate(activation), 2n)
  assert.notEqual(programOf('variables.a + 1', kind, variables), program)
})

test('a mistake is told each time', () => {
  const kind = declared()
  for (let time = 0; time < 2; time++) assert.throws(() => programOf('object.', kind, new Map()), CelSyntaxError)
})

test('what is held is bounded: the oldest is read anew', () => {
  const kind = declared()
  const long = (index: number) => `object.x == '${String(index).padEnd(90_000, '.')}'`
  const first = programOf(long(0), kind, new Map())
  assert.equal(programOf(long(0), kind, new Map()), first)
  for (let index = 1; index < 12; index++) programOf(long(index), kind, new Map())
  assert.notEqual(programOf(long(0), kind, new Map()), first)
})
