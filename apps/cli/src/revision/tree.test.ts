import assert from 'node:assert/strict'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { fixtures } from '../golden.js'
import { type Repository, repositoryWith } from './testing.js'
import { commitOf, writeTree } from './tree.js'

const namespace = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`

/** Lays a revision out two folders below a private one, so that what leads out of it can be seen. */
async function laidOut(t: TestContext, { root, env }: Repository, revision: string) {
  const outer = temporaryFolder(t)
  const into = path.join(outer, 'a')
  mkdirSync(into)
  writeFileSync(path.join(outer, 'outside.yaml'), namespace('outside'))
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const io = { ...streams, cwd: root, env, colour: false, signal: new AbortController().signal, exit: () => undefined }
  return { outer, into, done: writeTree(io, root, await commitOf(io, root, revision), 'k8s', into) }
}

/** A commit with one file, below folders with these names: a clone accepts it as long as it is not checked out. */
function commitWith(repository: Repository, folders: readonly string[], file: string): string {
  repository.write('evil', namespace('evil'))
  const blob = repository.git('hash-object', '-w', 'evil').trim()
  let line = `100644 blob ${blob}\t${file}\n`
  for (const name of [...folders].reverse()) {
    line = `040000 tree ${treeOf(repository, line)}\t${name}\n`
  }
  return repository.git('commit-tree', treeOf(repository, line), '-m', 'evil').trim()
}

const treeOf = (repository: Repository, lines: string): string => repository.gitWith(lines, 'mktree').trim()

const manifests = path.join(fixtures, 'matrix', 'manifests')

test('a name of a commit that leads out of it is refused, and nothing is written there', async (t) => {
  const repository = repositoryWith(t, manifests)
  const good = await laidOut(t, repository, commitWith(repository, ['k8s', 'layers'], 'fine.yaml'))
  await good.done
  assert.ok(existsSync(path.join(good.into, 'k8s', 'layers', 'fine.yaml')))
  const evil = await laidOut(t, repository, commitWith(repository, ['k8s', '..', '..'], 'evil.yaml'))
  await assert.rejects(
    evil.done,
    /"k8s\/\.\.\/\.\.\/evil\.yaml", a name that leads out of the commit; nothing of it is read\.$/,
  )
  assert.equal(existsSync(path.join(evil.outer, 'evil.yaml')), false)
})

test('a link that leads out of the commit by way of another link is refused', async (t) => {
  const repository = repositoryWith(t, manifests)
  const k8s = path.join(repository.root, 'k8s')
  repository.write('k8s/d/e/real.yaml', namespace('real'))
  repository.write('k8s/d/outside.yaml', namespace('inside'))
  // By its letters k8s/d/outside.yaml; by way of `up` the file beside the folder that the commit is laid out in.
  symlinkSync('../..', path.join(k8s, 'd', 'e', 'up'))
  symlinkSync('up/../../outside.yaml', path.join(k8s, 'd', 'e', 'away.yaml'))
  repository.commit('links')
  const { done } = await laidOut(t, repository, 'HEAD')
  await assert.rejects(done, /"k8s\/d\/e\/away\.yaml" is a link to ".*", .* is not followed\.$/)
})
