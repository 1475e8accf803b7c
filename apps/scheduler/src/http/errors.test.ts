import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorDocProblems } from '@bulkhead/service-kit'
import { schedulerErrors } from './errors.js'

test('docs/errors.md lists every error of the scheduler, and no other', () => {
  const page = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  assert.deepEqual(errorDocProblems(schedulerErrors.table, page, 'scheduler'), [])
})
