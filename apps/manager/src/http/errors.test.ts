import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorDocProblems } from '@bulkhead/service-kit'
import { managerErrors } from './errors.js'

test('docs/errors.md lists every code of the manager, and no other', () => {
  const documented = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  assert.deepEqual(errorDocProblems(managerErrors.table, documented, 'manager'), [])
})
