import assert from 'node:assert/strict'
import { test } from 'node:test'
import { productionTree } from './lockfile.mjs'
import { imageTarget } from './target.mjs'

const lock = {
  packages: {
    'apps/a': { dependencies: { direct: '1' } },
    'apps/a/node_modules/deep': { version: '2.0.0' },
    'node_modules/direct': {
      version: '1.0.0',
      dependencies: { deep: '1', '@types/node': '1', both: '1' },
      optionalDependencies: { both: '1', native: '1', 'native-musl': '1', 'native-arm': '1', bare: '1', gone: '1' },
      peerDependencies: { beside: '1', 'not-asked': '1' },
      peerDependenciesMeta: { 'not-asked': { optional: true } },
      devDependencies: { tests: '1' },
    },
    'node_modules/deep': { version: '1.0.0' },
    'node_modules/direct/node_modules/beside': { version: '3.0.0', dependencies: { deep: '1', '@scope/x': '1' } },
    'node_modules/@scope/x': { version: '4.0.0', dependencies: { direct: '1' } },
    'node_modules/both': { version: '1.0.0', os: ['win32'] },
    'node_modules/native': { version: '5.0.0', os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
    'node_modules/native-musl': { version: '5.0.0', os: ['linux'], cpu: ['x64'], libc: ['musl'] },
    'node_modules/native-arm': { version: '5.0.0', os: ['!win32'], cpu: ['arm64'] },
    'node_modules/bare': { version: '6.0.0', engines: { bare: '>=1' } },
    'node_modules/tests': { version: '1.0.0' },
    'node_modules/not-asked': { version: '1.0.0' },
    'node_modules/@types/node': { version: '1.0.0' },
  },
}
const tree = (from, name, architecture = 'amd64') =>
  productionTree(lock, [{ from, name }], imageTarget(architecture)).map(({ key, version }) => `${key} ${version}`)

test('what a package needs to run: found as Node finds it, once, without development, types and other machines', () => {
  assert.deepEqual(tree('apps/a', 'direct'), [
    'node_modules/@scope/x 4.0.0',
    'node_modules/deep 1.0.0',
    'node_modules/direct 1.0.0',
    'node_modules/direct/node_modules/beside 3.0.0',
    'node_modules/native 5.0.0',
  ])
  assert.ok(tree('apps/a', 'direct', 'arm64').includes('node_modules/native-arm 5.0.0'))
  assert.ok(!tree('apps/a', 'direct', 'arm64').includes('node_modules/native 5.0.0'))
  assert.deepEqual(tree('apps/a', 'deep'), ['apps/a/node_modules/deep 2.0.0'])
})

test('what is needed and is not to be had is an error with both names', () => {
  assert.throws(() => tree('apps/a', 'gone'), /"apps\/a" needs gone, which package-lock\.json does not have/)
  assert.throws(() => tree('apps/a', 'both'), /"apps\/a" needs both, which is not for linux on x64/)
  assert.throws(() => imageTarget('riscv64'), /Images are made for amd64 and arm64, not for "riscv64"/)
  assert.throws(() => imageTarget(undefined), /not for ""/)
})
