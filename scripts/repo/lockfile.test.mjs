import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packages, text } from './repository.mjs'

const lockfile = JSON.parse(text('package-lock.json'))
const locked = Object.entries(lockfile.packages)
const rootPackage = JSON.parse(text('package.json'))

test('the lockfile names no registry, so that it installs from any mirror', () => {
  assert.ok(locked.length > 100)
  for (const [key, entry] of locked) {
    if (entry.link) continue
    assert.equal(entry.resolved, undefined, key)
  }
  assert.doesNotMatch(text('package-lock.json'), /\.tgz"/)
})

test('every locked package is held by its checksum', () => {
  for (const [key, entry] of locked) {
    if (key.includes('node_modules/') && !entry.link) assert.match(entry.integrity ?? '', /^sha(512|1)-/, key)
  }
})

// npm leaves a platform's package out in silence when the registry it asked lags behind, and `npm ci` then fails on
// that platform, or everywhere.
test('every optional dependency of a locked package is locked too', () => {
  let seen = 0
  for (const [key, entry] of locked) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      seen += 1
      const found = key
        .split('/node_modules/')
        .map((_, depth, parts) => `${parts.slice(0, parts.length - depth).join('/node_modules/')}/node_modules/${name}`)
        .concat(`node_modules/${name}`)
        .some((candidate) => candidate in lockfile.packages)
      assert.ok(found, `${key} wants ${name}, which is not locked: pin an older version of it`)
    }
  }
  assert.ok(seen > 10, 'turbo and Biome have some')
})

test('every workspace says which Node it needs, and all say the same', () => {
  assert.equal(rootPackage.engines.node, '>=20.19.0')
  for (const { folder, json } of packages) {
    assert.equal(json.engines?.node, rootPackage.engines.node, folder)
    assert.equal(json.license, 'MIT', folder)
    assert.equal(json.private, true, folder)
    assert.equal(json.type, 'module', folder)
    assert.equal(json.version, rootPackage.version, folder)
    assert.deepEqual(
      lockfile.packages[folder.replaceAll('\\', '/')].engines,
      json.engines,
      `${folder} in package-lock.json`,
    )
  }
})

test('the compiler is told of every workspace', () => {
  const references = JSON.parse(text('tsconfig.json')).references.map((reference) => reference.path)
  assert.deepEqual(references.sort(), packages.map((one) => one.folder).sort())
})

/** Whether a range of versions holds one, as far as packages' `engines` use ranges: `>=a`, `^a`, `<a`, `a.x`, `*`, and `||`. */
function holds(range, version) {
  const compare = (a, b) => a.reduce((found, part, index) => found || part - (b[index] ?? 0), 0)
  const holdsOne = (comparator) => {
    if (comparator === '*') return true
    const [, sign, text] = /^(>=|<|\^|)v?([\dx.]+)$/.exec(comparator) ?? assert.fail(`${comparator} in ${range}`)
    const limit = text.split('.').map((part) => (part === 'x' ? 0 : Number(part)))
    if (sign === '<') return compare(version, limit) < 0
    return compare(version, limit) >= 0 && (sign === '>=' || version[0] === limit[0])
  }
  return range.split('||').some((part) =>
    part
      .trim()
      .replace(/([<>=^])\s+/g, '$1')
      .split(/\s+/)
      .every(holdsOne),
  )
}

test('every locked package allows the oldest Node that is promised: `npm ci --engine-strict` passes on it', () => {
  const oldest = text('.nvmrc').trim().split('.').map(Number)
  assert.equal(`>=${oldest.join('.')}`, rootPackage.engines.node, '.nvmrc and engines name the same version')
  let seen = 0
  for (const [key, entry] of locked) {
    if (entry.engines?.node === undefined) continue
    seen += 1
    assert.ok(holds(entry.engines.node, oldest), `${key} wants Node ${entry.engines.node}`)
  }
  assert.ok(seen > 100)
  assert.deepEqual(
    ['>=20.19.0', '>= 10.x', '^16 || ^18 || >=20', '>=22', '^16 || ^18', '>=18 <20'].map((range) =>
      holds(range, oldest),
    ),
    [true, true, true, false, false, false],
  )
})
