import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { folderWith } from '../lib/testing.mjs'
import { isServed, runsInPackage } from './files.mjs'
import { leftBehind } from './imports.mjs'
import { reach } from './reach.mjs'

const clone = {
  'apps/a/package.json': { name: '@bulkhead/a', dependencies: { '@bulkhead/kit': '1', express: '5' } },
  'apps/a/dist/main.js': `import { x } from './x.js'\nimport kit from '@bulkhead/kit/door'\n// import './comment.js'\nimport fs from 'node:fs'\nimport os from 'os'\nconst lazy = () => import('./lazy.js')`,
  'apps/a/dist/x.js': `export * from './main.js'\nexport { default } from "express/lib/x.js"`,
  'apps/a/dist/lazy.js': '',
  'apps/a/dist/comment.js': '',
  'apps/a/dist/main.test.js': `import 'supertest'`,
  'packages/kit/package.json': {
    name: '@bulkhead/kit',
    exports: { './door': { default: './dist/door.js' } },
    dependencies: { pino: '1' },
  },
  'packages/kit/dist/door.js': `import pino from 'pino'\nimport {\n  y,\n} from './y.js'`,
  'packages/kit/dist/y.js': '',
  'packages/kit/dist/testing.js': '',
}
const reached = (t, changes = {}) => reach(folderWith(t, { ...clone, ...changes }), 'apps/a', ['dist/main.js'])

test('what is imported is reached, through packages of ours and up to those of others; what only tests use is not', (t) => {
  const { files, packages } = reached(t)
  assert.deepEqual(
    [...files].map(([workspace, own]) => [workspace, own.toSorted()]),
    [
      ['apps/a', ['dist/lazy.js', 'dist/main.js', 'dist/x.js']],
      ['packages/kit', ['dist/door.js', 'dist/y.js']],
    ],
  )
  assert.deepEqual(packages, [
    { from: 'apps/a', name: 'express' },
    { from: 'packages/kit', name: 'pino' },
  ])
})

test('what cannot be followed, and what would be missing, is told before there is an image', (t) => {
  const main = (text) => ({ 'apps/a/dist/main.js': text })
  assert.throws(
    () => reached(t, main(`import 'supertest'`)),
    /apps\/a\/dist\/main\.js imports supertest, which is not among/,
  )
  assert.throws(
    () => reached(t, main('await import(name)')),
    /imports what is named only while it runs, so that it cannot be followed: import\(name/,
  )
  assert.throws(
    () => reached(t, main(`import './gone.js'`)),
    /apps\/a\/dist\/gone\.js is missing: the source has to be built/,
  )
  assert.throws(() => reached(t, main(`import '@bulkhead/kit'`)), /packages\/kit\/package\.json exports no "\."/)
})

test('of a package of others: what Node loads and its licences, not what its makers work with', () => {
  const kept = [
    'index.js',
    'lib/test/x.cjs',
    'build/attr_spec.js',
    'a.mjs',
    'package.json',
    'x.node',
    'x.wasm',
    'LICENSE',
    'lib/NOTICE.txt',
  ]
  const left = [
    'index.d.ts',
    'src/x.ts',
    'x.js.map',
    'README.md',
    'test/x.js',
    'Tests/x.js',
    'x.test.js',
    'benchmarks/b.js',
    '.github/x.js',
    'a.c',
    'x.bare',
  ]
  assert.deepEqual([...kept, ...left].filter(runsInPackage), kept)
})

test('of modules that are served: the modules', () => {
  assert.deepEqual(['main.js', 'x.mjs', 'main.test.js', 'main.js.map', 'x.d.ts', 'tsconfig.json'].filter(isServed), [
    'main.js',
    'x.mjs',
  ])
})

test('a file that was taken for a test, and that another one names, is told', (t) => {
  const from = folderWith(t, {
    'index.js': `require('./test/needed')\nrequire('./never')\nimport('./x.d.ts')`,
    'test/needed.js': '',
    'x.d.ts': '',
  })
  const to = folderWith(t, { 'index.js': `require('./test/needed')\nrequire('./never')\nimport('./x.d.ts')` })
  const copied = [{ from: path.join(from, 'index.js'), to: path.join(to, 'index.js') }]
  assert.deepEqual(leftBehind(copied), [`${copied[0].from} names ./test/needed, which was left behind`])
  mkdirSync(path.join(to, 'test'))
  writeFileSync(path.join(to, 'test/needed.js'), '')
  assert.deepEqual(leftBehind(copied), [])
})
