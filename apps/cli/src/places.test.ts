import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { findPlaces, shellWord, shownPath, stateDirectory } from './places.js'

function clone(t: TestContext): string {
  const root = realpathSync(temporaryFolder(t))
  for (const folder of ['k8s/layers', 'scenarios', 'other']) mkdirSync(path.join(root, folder), { recursive: true })
  writeFileSync(path.join(root, 'package.json'), '{}')
  return root
}

test('k8s/ and scenarios/ are found from anywhere in a clone', (t) => {
  const root = clone(t)
  for (const cwd of [root, path.join(root, 'k8s'), path.join(root, 'k8s', 'layers')]) {
    assert.deepEqual(findPlaces({ cwd }), {
      root,
      k8s: path.join(root, 'k8s'),
      scenarios: path.join(root, 'scenarios'),
    })
    assert.equal(stateDirectory({ cwd }), path.join(root, '.bulkhead'))
  }
})

test('--manifests and --state are as the user typed them, from where the user is', (t) => {
  const root = clone(t)
  assert.equal(findPlaces({ cwd: root }, 'other').k8s, path.join(root, 'other'))
  assert.equal(findPlaces({ cwd: path.join(root, 'k8s') }, '../other').k8s, path.join(root, 'other'))
  assert.equal(stateDirectory({ cwd: root }, 'mine'), path.join(root, 'mine'))
})

test('outside of a clone, and where there is no such folder, it says what to do', (t) => {
  const root = clone(t)
  assert.throws(
    () => findPlaces({ cwd: path.join(root, '..') }),
    /there is no k8s\/ folder in .* or above it.*--manifests/,
  )
  assert.throws(() => findPlaces({ cwd: root }, 'no-such'), /there is no folder "no-such"/)
  assert.throws(() => findPlaces({ cwd: root }, 'package.json'), /"package.json" is a file/)
})

test('a path is shown so that it can be read and typed', () => {
  const io = { cwd: '/home/me/clone' }
  assert.equal(shownPath(io, '/home/me/clone/.bulkhead'), '.bulkhead')
  for (const elsewhere of ['/tmp/x', '/home/me', '/home/me/clone', '/home/me/clone2'])
    assert.equal(shownPath(io, elsewhere), elsewhere)
  assert.equal(shellWord('/tmp/a_b-1.2'), '/tmp/a_b-1.2')
  assert.equal(shellWord("/tmp/it's a $place"), "'/tmp/it'\\''s a $place'")
})
