import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { findBinaries } from './binaries.js'
import { initialise } from './data-folder.js'
import { findPrivileges, giveTo, type Privileges, ways } from './privileges.js'

const owner = { user: 'hello', password: 'right', database: 'hellodb' }
const isRoot = process.getuid?.() === 0

test('nobody else is taken where it is not root that asks', () => {
  assert.deepEqual(findPrivileges('/bin/sh', [], 1000), { prefix: [] })
})

test('root becomes nobody where nobody can go; else another way that works here is found', (t) => {
  const folder = temporaryFolder(t)
  const { postgres } = findBinaries()
  chmodSync(folder, 0o755)
  const open = findPrivileges('/bin/sh', [folder], 0)
  assert.deepEqual(open, { prefix: [], ids: { uid: 65534, gid: 65534 }, owner: 65534 })
  chmodSync(folder, 0o700)
  // Its own folder is no obstacle; another's is.
  if (isRoot) {
    const { prefix } = findPrivileges(postgres, [folder], 0)
    assert.ok(['setpriv', 'unshare'].includes(prefix[0] ?? ''))
  }
  assert.throws(() => findPrivileges(postgres, [folder], 0, []), {
    code: 'root',
    message: /does not run as root.*"[^"]*\/bh t-[^"]*" can be entered by its owner alone.*ordinary user/,
  })
})

test('by each way that works here a data folder is made, in a folder that only its owner can enter', async (t) => {
  const binaries = findBinaries()
  const mine: readonly { readonly privileges: Privileges }[] = isRoot
    ? ways.filter(({ works }) => works(binaries.postgres))
    : [{ privileges: { prefix: [] } }]
  for (const { privileges } of mine) {
    const folder = temporaryFolder(t)
    const dataDir = join(folder, 'data')
    await initialise(dataDir, owner, binaries, privileges)
    const { uid, mode } = statSync(join(dataDir, 'PG_VERSION'))
    assert.equal(uid, privileges.owner ?? process.getuid?.())
    assert.equal(mode & 0o077, 0)
  }
  assert.ok(mine.length > 0)
})

test('what is in a folder is given with it', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'a/b'), { recursive: true })
  writeFileSync(join(folder, 'a/b/c'), '')
  const to = isRoot ? 65534 : (process.getuid?.() ?? 0)
  giveTo({ prefix: [], owner: to }, folder)
  assert.deepEqual(
    ['', 'a', 'a/b', 'a/b/c'].map((path) => statSync(join(folder, path)).uid),
    [to, to, to, to],
  )
})
