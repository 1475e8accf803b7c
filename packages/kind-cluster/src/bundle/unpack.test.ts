import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { readPins } from '../pins.js'
import { placeOf } from '../place.js'
import { root } from '../plan/testing.js'
import { archiveOf, contents, filesIn, manifestOf, pins, platform, roomy } from './testing.js'
import { type UnpackOptions, unpackBundle } from './unpack.js'

function bench(t: TestContext) {
  const folder = temporaryFolder(t)
  const file = join(folder, 'bundle.tar')
  const place = placeOf(root, join(folder, 'state'))
  const unpacked = join(place.folder, 'bundle')
  const unpack = (more: Partial<UnpackOptions> = {}) =>
    unpackBundle({ file, place, pins, platform, freeBytes: roomy, ...more })
  /** It is refused, and nothing of it is there. */
  const refused = async (code: string, message: RegExp, more: Partial<UnpackOptions> = {}): Promise<void> => {
    await assert.rejects(unpack(more), { name: 'BundleError', code, message })
    assert.deepEqual(filesIn(place.folder), [])
    assert.equal(existsSync(join(folder, 'escaped')), false)
  }
  return { folder, file, place, unpacked, unpack, refused }
}

const needed = Object.keys(contents).filter((path) => !path.startsWith('npm-cache/'))

test('a whole bundle is checked, and what the nodes need is laid out for nobody else', async (t) => {
  const { file, unpack, unpacked } = bench(t)
  await archiveOf(file)
  const { folder, there } = await unpack()
  assert.deepEqual([folder, there], [unpacked, false])
  assert.deepEqual(filesIn(unpacked), [...needed, 'manifest.json'].sort())
  for (const path of needed) assert.equal(readFileSync(join(unpacked, path), 'utf8'), contents[path])
  assert.equal(statSync(unpacked).mode & 0o777, 0o700)
})

test('what is unpacked already is checked and left; what was changed or is missing is unpacked anew', async (t) => {
  const { file, unpack, unpacked } = bench(t)
  await archiveOf(file)
  await unpack()
  const one = join(unpacked, 'images/linux-amd64/quay.io-cilium.tar')
  const { ino } = statSync(one)
  assert.equal((await unpack()).there, true)
  assert.equal(statSync(one).ino, ino)
  writeFileSync(one, 'CILIUM')
  assert.equal((await unpack()).there, false)
  assert.equal(readFileSync(one, 'utf8'), 'cilium')
  rmSync(one)
  assert.equal((await unpack()).there, false)
  assert.equal(readFileSync(one, 'utf8'), 'cilium')
})

test('a bundle of other versions is refused with both, and one for other values or nodes', async (t) => {
  const { file, refused } = bench(t)
  await archiveOf(file, {
    ...manifestOf(),
    pins: { ...pins, cilium: '1.19.9', kind: { ...pins.kind, node: 'kindest/node:v1' } },
  })
  await refused(
    'other-pins',
    new RegExp(`cilium is 1\\.19\\.9 in the bundle and ${pins.cilium} in k8s/platform/versions.yaml`),
  )
  await refused('other-pins', /kind\.node is kindest\/node:v1 in the bundle and kindest\/node:v.*@sha256/)
  rmSync(file)
  const values = { ...manifestOf().values, 'k8s/platform/helm/cilium.yaml': '0'.repeat(64) }
  await archiveOf(file, { ...manifestOf(), values })
  await refused('other-pins', /cilium\.yaml is not as it was when the bundle was made/)
  rmSync(file)
  await archiveOf(file)
  await refused('other-platform', /has images for linux\/amd64, and the nodes here are linux\/arm64/, {
    platform: 'linux/arm64',
  })
  const moved = readPins(root)
  await refused('other-pins', /istio is .* in the bundle and 9\.9\.9 in/, { pins: { ...moved, istio: '9.9.9' } })
})

test('the versions of tools may differ: the doctor looks at those', async (t) => {
  const { file, unpack } = bench(t)
  await archiveOf(file, { ...manifestOf(), pins: { ...pins, tools: { kind: { least: '0.1.0' } } } })
  assert.equal((await unpack()).there, false)
})

test('files that are changed, longer, missing, twice, or that nobody speaks of are refused', async (t) => {
  const all = Object.entries(contents)
  const changed = (path: string, text: string) => all.map(([one, was]) => [one, one === path ? text : was] as const)
  const node = 'images/linux-amd64/kindest-node.tar'
  const cases: readonly (readonly [readonly (readonly [string, string])[], RegExp])[] = [
    [changed(node, 'the NODE image'), /kindest-node\.tar is not what was put into it/],
    [changed('npm-cache/_cacache/some', 'A PACKAGE'), /npm-cache\/_cacache\/some is not what was put into it/],
    [changed(node, 'the node image and more'), /kindest-node\.tar has 23 bytes and should have 14/],
    [all.slice(1), /kindest-node\.tar is missing/],
    [[...all, [node, 'the node image']], /"images\/linux-amd64\/kindest-node\.tar" is in it twice/],
    [[...all, ['extra', '']], /"extra" is in it twice, or is not in its manifest\.json/],
    [[...all, ['../../escaped', 'x']], /"\.\.\/\.\.\/escaped" is in it twice, or is not/],
  ]
  for (const [files, message] of cases) {
    const { file, refused } = bench(t)
    await archiveOf(file, manifestOf(), files)
    await refused('damaged', message)
  }
})

test('names that lead out of the folder, hide, or clash are refused where the manifest has them', async (t) => {
  const bad = [
    '../escaped',
    '/escaped',
    'a/../../escaped',
    'a//b',
    'a/./b',
    '.hidden',
    'a\\b',
    'a\nb',
    'manifest.json',
    '',
  ]
  for (const path of bad) {
    const { file, refused } = bench(t)
    const files = { ...contents, [path]: 'x' }
    await archiveOf(file, manifestOf(files), Object.entries(files))
    await refused('damaged', /at files\.7\.path:/)
  }
  for (const [path, message] of [
    ['CHARTS/one.tgz', /names a file twice/],
    ['charts/one.tgz/two', /has charts\/one\.tgz\/two below a file/],
  ] as const) {
    const { file, refused } = bench(t)
    await archiveOf(file, manifestOf({ ...contents, [path]: 'x' }), [])
    await refused('damaged', message)
  }
})

test('a manifest that is none, of another schema, with wrong fields, or that names what is not there is refused', async (t) => {
  const whole = manifestOf()
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    ['{', 'not-a-bundle', /is no JSON/],
    ['null', 'not-a-bundle', /is of schema none/],
    [{ ...whole, schema: 1 }, 'not-a-bundle', /is of schema 1, and this clone reads schema 2/],
    [{ ...whole, files: 'all' }, 'damaged', /at files:/],
    [{ ...whole, platforms: [] }, 'damaged', /at platforms:/],
    [{ ...whole, gatewayApi: 'nowhere.yaml' }, 'damaged', /has no nowhere\.yaml among its files/],
    [{ ...whole, files: [{ path: 'a', size: -1, sha256: '0'.repeat(64) }] }, 'damaged', /at files\.0\.size:/],
  ]
  for (const [manifest, code, message] of cases) {
    const { file, refused } = bench(t)
    await archiveOf(file, manifest)
    await refused(code, message)
  }
})

test('a bundle that is cut off, or is something else, is refused and leaves nothing', async (t) => {
  const { file, refused } = bench(t)
  await archiveOf(file)
  const { length } = readFileSync(file)
  truncateSync(file, length - 3000)
  await refused('damaged', /is cut off/)
  writeFileSync(file, 'hello')
  await refused('not-a-bundle', /is not a bundle; `npx bulkhead cluster bundle` makes one\.$/)
  rmSync(file)
  await refused('unreadable', /ENOENT/)
})

test('room is asked for; Ctrl-C leaves nothing; what an earlier one left half is taken away', async (t) => {
  const { file, refused, unpack, place, unpacked } = bench(t)
  await archiveOf(file)
  await refused('space', /GiB free, and the bundle unpacked takes/, { freeBytes: async () => 10 })
  const controller = new AbortController()
  const freeBytes = async (): Promise<number> => {
    controller.abort('SIGINT')
    return 2 ** 50
  }
  await assert.rejects(unpack({ freeBytes, signal: controller.signal }), (reason) => reason === 'SIGINT')
  assert.deepEqual(filesIn(place.folder), [])
  assert.ok((await unpack()).folder === unpacked)
})
