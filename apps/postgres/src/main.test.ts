import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@bulkhead/testing'

// What it does when all is well needs a pod, whose port it takes: local-cluster's tests have it there.
function run(env: Record<string, string>) {
  const main = fileURLToPath(new URL('./main.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'postgres'], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status, stdout, stderr }
}

test('settings that are wrong end it with one line that says what to do', () => {
  assert.deepEqual(run({ PGDATA: '/nowhere' }), {
    status: 78,
    stdout: '',
    stderr:
      'postgres: there is no password: set POSTGRES_PASSWORD, or POSTGRES_PASSWORD_FILE, from a Secret. Access without one (POSTGRES_HOST_AUTH_METHOD=trust) is not to be had here.\n',
  })
})

test('data of another version ends it with one line that names --fresh, and does not touch it', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'PG_VERSION'), '16\n')
  const { status, stderr } = run({ PGDATA: folder, POSTGRES_PASSWORD: 'not to be told' })
  assert.equal(status, 1)
  assert.match(stderr, /^postgres: ".*" holds data of PostgreSQL 16, .* `npx bulkhead up --fresh` empties it.*\n$/)
  assert.ok(!stderr.includes('not to be told'))
})
