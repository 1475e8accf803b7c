import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { ConfigError } from './read-config.js'
import { withFiles } from './with-files.js'

test('a variable comes from the file that _FILE names, without the newline at its end', (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'key')
  writeFileSync(file, 'a\nb\n\n')
  assert.equal(withFiles({ KEY_FILE: file }, ['KEY']).KEY, 'a\nb\n')
  assert.equal(withFiles({ KEY: 'x', KEY_FILE: '' }, ['KEY']).KEY, 'x')
  assert.equal(withFiles({ KEY_FILE: file }, []).KEY, undefined)
})

test('a file that cannot be read, and one beside the variable, are told of, all at once', () => {
  const env = { A_FILE: '/no/such/file', B: 'x', B_FILE: '/y' }
  assert.throws(
    () => withFiles(env, ['A', 'B']),
    (error) => {
      assert.ok(error instanceof ConfigError)
      assert.deepEqual(error.problems, [
        'invalid env var A_FILE="/no/such/file" (it cannot be read: ENOENT)',
        'invalid env var B_FILE="/y" (B is set too; set one of them)',
      ])
      return true
    },
  )
})
