import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defineErrors, errorDocProblems, ServiceError } from './define-errors.js'
import { kitErrors } from './kit-errors.js'
import { toServiceError } from './to-service-error.js'

const documented = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')

test('docs/errors.md lists every code of this package, and no other', () => {
  assert.deepEqual(errorDocProblems(kitErrors.table, documented, 'service-kit'), [])
})

test('the comparison finds what is missing, what is invented, and what is out of date', () => {
  const { table } = defineErrors({ A: { status: 400, message: 'A.' }, B: { status: 401, message: 'B.' } })
  const page = '## demo\n| `A` | 400 | A. |\n| `C` | 402 | C. |\n\n## other\n| `B` | 401 | B. |\n'
  assert.deepEqual(errorDocProblems(table, page, 'demo'), [
    'B is not documented',
    'C is documented, and no such code exists',
  ])
  assert.deepEqual(errorDocProblems(table, '## demo\n| `A` | 500 | A. |\n| `B` | 401 | B. |\n', 'demo'), [
    'A should read "400 | A.", and reads "500 | A."',
  ])
  assert.equal(errorDocProblems(table, page, 'nobody').length, 1)
})

test('an error has its row’s status, its own sentence, and keeps its cause to itself', () => {
  const cause = new Error('inside')
  const error = kitErrors.error('NOT_FOUND', 'There is no user 7.', { cause, headers: { 'x-a': 'b' } })
  assert.ok(error instanceof ServiceError)
  assert.deepEqual(
    [error.code, error.status, error.message, error.cause, error.headers],
    ['NOT_FOUND', 404, 'There is no user 7.', cause, { 'x-a': 'b' }],
  )
  assert.equal(kitErrors.error('NOT_FOUND').message, kitErrors.table.NOT_FOUND.message)
})

test('what is not known becomes INTERNAL, whatever was thrown', () => {
  for (const thrown of [new Error('x'), 'x', undefined, null, { status: 400, type: 'made up' }, new URIError('x')]) {
    const error = toServiceError(thrown)
    assert.deepEqual(
      [error.code, error.status, error.cause],
      ['INTERNAL', 500, thrown === undefined ? undefined : thrown],
    )
  }
})
