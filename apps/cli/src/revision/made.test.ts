import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { reader } from '../cluster/testing.js'
import { repository } from '../golden.js'
import { madeNow, revisionAt } from './made.js'
import { repositoryWith } from './testing.js'

function clone(t: TestContext) {
  const made = repositoryWith(t, path.join(repository, 'k8s/workloads'))
  const io = { ...reader().io, env: made.env }
  return { ...made, io, commitNow: made.git('rev-parse', 'HEAD').trim() }
}

test('the revision is the commit that is checked out, with changes where there are some that are run', async (t) => {
  const { root, io, commitNow: commit, write, git } = clone(t)
  assert.deepEqual(await revisionAt(io, root), { commit, changes: false })
  write('report.html', 'of last time')
  assert.deepEqual(await revisionAt(io, root), { commit, changes: false })
  write('scenarios/mine.yaml', 'a: 1\n')
  assert.deepEqual(await revisionAt(io, root), { commit, changes: true })
  rmSync(path.join(root, 'scenarios'), { recursive: true })
  write('package.json', '{"changed":true}\n')
  assert.deepEqual(await revisionAt(io, root), { commit, changes: true })
  git('checkout', '--', 'package.json')
  assert.deepEqual(await revisionAt(io, root), { commit, changes: false })
})

test('a folder within a repository, one outside of any, and a machine without git have none, and a time all the same', async (t) => {
  const { root, io } = clone(t)
  assert.equal(await revisionAt(io, path.join(root, 'k8s')), undefined)
  const outside = temporaryFolder(t)
  assert.equal(await revisionAt(io, outside), undefined)
  const empty = path.join(outside, 'empty')
  mkdirSync(empty)
  const made = await madeNow({ ...io, env: { PATH: empty } }, root)
  assert.deepEqual(Object.keys(made), ['startedAt'])
  assert.match(made.startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
})
