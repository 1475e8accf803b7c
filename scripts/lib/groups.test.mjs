import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { grouped } from './groups.mjs'
import { folderWith } from './testing.mjs'

const filesOf = (workspace, count) => Array.from({ length: count }, (_, n) => path.join(workspace, `${n}.test.js`))
const importsOf = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/^import "(.*)"$/gm)].map(([, url]) => fileURLToPath(url))

test('every file runs once: those of the workspaces that are named with others, the rest by itself', (t) => {
  const root = folderWith(t, {})
  const folder = path.join(root, 'groups')
  const pure = filesOf('packages/pure', 20)
  const long = path.join('packages/pure', 'long.test.js')
  const alone = [long, ...filesOf('packages/pure-not', 3), ...filesOf('apps/pure', 2), ...filesOf('packages/one', 1)]
  const workspaces = ['packages/pure', 'packages/one']
  const run = grouped([...pure, ...alone], { root, folder, workspaces, alone: [long] })
  const groups = run.filter((file) => path.isAbsolute(file))
  assert.deepEqual(
    groups.map((file) => importsOf(file).length),
    [7, 7, 6],
  )
  assert.deepEqual(groups.flatMap(importsOf).toSorted(), pure.map((file) => path.join(root, file)).toSorted())
  assert.deepEqual(
    run.filter((file) => !path.isAbsolute(file)),
    alone,
  )
})

test('a file that is alone in its workspace runs as it is, and nothing is written', (t) => {
  const root = folderWith(t, {})
  const files = filesOf('packages/pure', 1)
  assert.deepEqual(grouped(files, { root, folder: path.join(root, 'groups'), workspaces: ['packages/pure'] }), files)
  assert.deepEqual(readdirSync(root), [])
})
