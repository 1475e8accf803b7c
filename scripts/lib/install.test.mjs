import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { explain, install, isInstalled } from './install.mjs'
import { collecting, folderWith, withEnv } from './testing.mjs'

const wanted = {
  packages: {
    '': { name: 'root' },
    'packages/a': { version: '1.0.0' },
    'node_modules/a': { resolved: 'packages/a', link: true },
    'node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
    'node_modules/only-on-another-system': { version: '1.0.0', integrity: 'sha512-o', optional: true },
  },
}
const { '': _, 'node_modules/only-on-another-system': __, ...there } = wanted.packages

const installed = {
  'package-lock.json': wanted,
  'node_modules/.package-lock.json': { packages: there },
  'node_modules/.bin/turbo': '',
}

test('what npm installed by hand counts, and is remembered', (t) => {
  const root = folderWith(t, installed)
  assert.equal(isInstalled(root), true)
  rmSync(path.join(root, 'node_modules/.package-lock.json'))
  assert.equal(isInstalled(root), true, 'from the stamp alone')
})

test('another lockfile, another version, or half an install does not count', (t) => {
  assert.equal(isInstalled(folderWith(t, { 'package-lock.json': wanted })), false, 'nothing installed')
  const half = folderWith(t, { ...installed, 'node_modules/.package-lock.json': '{"packages":{}}' })
  assert.equal(isInstalled(half), false, 'half of it')
  const older = structuredClone(there)
  older['node_modules/b'].version = '1.9.0'
  assert.equal(
    isInstalled(folderWith(t, { ...installed, 'node_modules/.package-lock.json': { packages: older } })),
    false,
  )
})

test('without a lockfile nothing is installed', (t) => {
  assert.throws(() => isInstalled(folderWith(t, {})), /^Failure: package-lock\.json is missing/)
})

test('a changed lockfile undoes the stamp', (t) => {
  const root = folderWith(t, installed)
  assert.equal(isInstalled(root), true)
  const newer = structuredClone(wanted)
  newer.packages['node_modules/b'].version = '2.0.1'
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(newer))
  assert.equal(isInstalled(root), false)
})

const fakeNpm = (code, said) => ({
  'package-lock.json': wanted,
  'npm-cli.js': `
    import { mkdirSync, writeFileSync } from 'node:fs'
    writeFileSync('called', process.argv.slice(2).join(' '))
    mkdirSync('node_modules', { recursive: true })
    process.stderr.write(${JSON.stringify(said)})
    process.exit(${code})`,
  'package.json': { type: 'module' },
})

test('installs with the npm that was called, from the lockfile, and remembers it', async (t) => {
  const root = folderWith(t, fakeNpm(0, ''))
  const progress = collecting()
  await withEnv({ npm_execpath: path.join(root, 'npm-cli.js') }, () => install(root, progress))
  assert.match(
    progress.said.join(''),
    /^Installing 3 packages from package-lock\.json \.\.\.\n.*: done in \d+\.\d s\n$/,
  )
  assert.match(readFileSync(path.join(root, 'called'), 'utf8'), /^ci /)
  assert.equal(isInstalled(root), true)
})

test('a failed install leaves no stamp and says why in one sentence, after what npm said', async (t) => {
  const root = folderWith(
    t,
    fakeNpm(1, 'npm warn deprecated x\nnpm error code ENOTFOUND\nnpm error getaddrinfo ENOTFOUND registry\n'),
  )
  await withEnv({ npm_execpath: path.join(root, 'npm-cli.js') }, () =>
    assert.rejects(install(root, collecting()), (error) => {
      assert.match(error.message, /^npm ci did not work: the package registry could not be reached/)
      assert.match(error.details, /getaddrinfo ENOTFOUND/)
      assert.doesNotMatch(error.details, /deprecated/)
      return true
    }),
  )
  assert.equal(existsSync(path.join(root, 'node_modules/.bulkhead/installed')), false)
  assert.equal(isInstalled(root), false)
})

for (const [said, meant] of [
  ['npm error code EACCES\nnpm error path node_modules', /cannot be written/],
  ['npm error code EROFS', /cannot be written/],
  ['npm error code ENOSPC', /disk is full/],
  ['npm error code EBADENGINE', /does not allow Node\.js/],
  ['npm error code EINTEGRITY', /not the one in package-lock\.json/],
  [
    'npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync',
    /run `npm install` once/,
  ],
  ['npm error code ENOTCACHED', /npm is set to be offline/],
  ['npm error something else', /the reason is above/],
]) {
  test(`npm's "${said.split('\n')[0]}" is put into words`, () => assert.match(explain(said).message, meant))
}

test("npm's stack is shown only where the cause is not known", () => {
  const stack = [
    'npm error syscall mkdir',
    "npm error Error: EACCES: permission denied, mkdir 'node_modules'",
    'npm error     at async mkdir (node:internal/fs/promises:856:10) {',
    'npm error   errno: -13,',
    'npm error }',
    'npm error',
  ].join('\n')
  assert.equal(
    explain(stack).details,
    "npm error syscall mkdir\nnpm error Error: EACCES: permission denied, mkdir 'node_modules'",
  )
  assert.match(explain(stack.replaceAll('EACCES', 'ESTRANGE')).details, /at async mkdir/)
})
