import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { grouped } from './groups.mjs'
import { folderWith } from './testing.mjs'

const plain = "import { test } from 'node:test'\n"
const filesOf = (workspace, count, text = plain) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${workspace}/dist/${n}.test.js`, text]))
const importsOf = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/^import "(.*)"$/gm)].map(([, url]) => fileURLToPath(url))

test('every file runs once: of each workspace those that may share a process with others, the rest by itself', (t) => {
  const pure = filesOf('packages/pure', 20)
  const apps = filesOf('apps/pure', 2)
  const alone = {
    'packages/pure/dist/process.test.js': "import { fork } from 'node:child_process'\n",
    ...filesOf('packages/one', 1),
    ...filesOf('scripts', 2),
  }
  const root = folderWith(t, { ...pure, ...apps, ...alone })
  const run = grouped(Object.keys({ ...pure, ...apps, ...alone }), { root, folder: path.join(root, 'groups') })
  const groups = run.filter((file) => path.isAbsolute(file))
  const sizes = groups.map((file) => importsOf(file).length)
  assert.deepEqual(sizes.toSorted(), [2, 6, 7, 7])
  const together = Object.keys({ ...pure, ...apps }).map((file) => path.join(root, file))
  assert.deepEqual(groups.flatMap(importsOf).toSorted(), together.toSorted())
  assert.deepEqual(run.filter((file) => !path.isAbsolute(file)).toSorted(), Object.keys(alone).toSorted())
})

test('a file that is alone in its workspace runs as it is, and nothing is written', (t) => {
  const files = filesOf('packages/pure', 1)
  const root = folderWith(t, files)
  assert.deepEqual(grouped(Object.keys(files), { root, folder: path.join(root, 'groups') }), Object.keys(files))
  assert.deepEqual(readdirSync(root), ['packages'])
})

test('what uses most comes first, and groups come between', (t) => {
  const uses = (count) => Array.from({ length: count }, (_, n) => `import './part-${n}.js'\n`).join('')
  const single = (count) => `import { spawn } from 'node:child_process'\n${uses(count)}`
  const files = {
    'packages/a/dist/little.test.js': single(1),
    'packages/a/dist/much.test.js': single(9),
    'packages/a/dist/some.test.js': single(4),
    'scripts/whole.test.mjs': plain,
    ...filesOf('packages/a', 2),
    ...filesOf('packages/b', 2),
  }
  const root = folderWith(t, files)
  const run = grouped(Object.keys(files), { root, folder: path.join(root, 'groups') })
  assert.deepEqual(
    run.map((file) => path.basename(file)),
    [
      'whole.test.mjs',
      'packages-a-1.test.mjs',
      'much.test.js',
      'packages-b-1.test.mjs',
      'some.test.js',
      'little.test.js',
    ],
  )
})
