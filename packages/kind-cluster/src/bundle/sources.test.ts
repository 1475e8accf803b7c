import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { root } from '../plan/testing.js'
import { otherSources, sourcesOf } from './sources.js'
import { pins } from './testing.js'

const [one, other] = ['localhost/bulkhead/one:1', 'localhost/bulkhead/other:1']
const two = { ...pins, images: [one, other, 'docker.io/library/mongo:8'] }

/** A clone with two apps, of which one runs with a package, and with that package's own. */
const files: Readonly<Record<string, string>> = {
  'Dockerfile.base': 'FROM base',
  'package-lock.json': '{}',
  'scripts/image/assemble.mjs': 'assemble()',
  'apps/one/package.json':
    '{"dependencies":{"@bulkhead/kit":"1","zod":"4"},"devDependencies":{"@bulkhead/helper":"1"}}',
  'apps/one/src/main.ts': 'main()',
  'apps/one/assets/logo.svg': '<svg/>',
  'apps/other/package.json': '{}',
  'apps/other/src/main.ts': 'other()',
  'packages/kit/package.json': '{"dependencies":{"@bulkhead/deep":"1"}}',
  'packages/kit/src/index.ts': 'kit()',
  'packages/deep/package.json': '{"dependencies":{"@bulkhead/kit":"1"}}',
  'packages/deep/src/index.ts': 'deep()',
  'packages/helper/package.json': '{}',
}

test('what an app is built from: its own, what it runs with, and how all are built; and nothing else', (t) => {
  const clone = temporaryFolder(t)
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(clone, path)), { recursive: true })
    writeFileSync(join(clone, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  const before = sourcesOf(clone, two)
  assert.deepEqual(Object.keys(before), [one, other], 'what others build is not in it')
  const differs = (path: string): readonly string[] => {
    write(path, 'changed')
    const images = otherSources(before, clone, two)
    const was = files[path]
    if (was === undefined) rmSync(join(clone, path))
    else write(path, was)
    return images
  }
  for (const path of ['Dockerfile.base', 'package-lock.json', 'scripts/image/assemble.mjs', 'scripts/lib/new.mjs'])
    assert.deepEqual(differs(path), [one, other], path)
  for (const path of [
    'apps/one/src/main.ts',
    'apps/one/src/new.ts',
    'apps/one/assets/logo.svg',
    'packages/kit/src/index.ts',
  ])
    assert.deepEqual(differs(path), [one], path)
  assert.deepEqual(differs('packages/deep/src/index.ts'), [one], 'of what it runs with, what that runs with')
  for (const path of [
    ...['apps/one/src/main.test.ts', 'apps/one/src/testing/app.ts', 'apps/one/src/.env', 'apps/one/dist/main.js'],
    ...['apps/one/README.md', 'packages/helper/package.json', 'scripts/image/assemble.test.mjs', 'docs/page.md'],
  ])
    assert.deepEqual(differs(path), [], path)
  assert.deepEqual(sourcesOf(clone, two), before)
  write('packages/kit/package.json', '{')
  assert.throws(() => sourcesOf(clone, two), {
    code: 'sources',
    message: /what the apps are built from cannot be read/,
  })
})

test('of this clone each app is known', () => {
  const sources = sourcesOf(root, pins)
  assert.equal(new Set(Object.values(sources)).size, Object.keys(sources).length)
  assert.ok(Object.keys(sources).length >= 6)
  assert.deepEqual(otherSources(sources, root, pins), [])
  assert.deepEqual(otherSources({}, root, pins), Object.keys(sources))
})
