import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type Place, readManifest } from '@bulkhead/kind-cluster'
import { archiveOf, goodFetches, manifestOf } from '@bulkhead/kind-cluster/testing'
import { matchesGolden } from '../golden.js'
import { runCli } from '../testing.js'
import { type BundleOptions, bundle } from './bundle.js'
import { nodePlatform } from './plan.js'
import { goodCluster, quick, reader, recorded, type Table } from './testing.js'
import { up } from './up.js'

const stateOf = (place: Place): string => path.dirname(place.folder)

/** A bundle for this machine's processor. */
async function bundleIn(folder: string, change: object = {}): Promise<string> {
  const manifest = manifestOf()
  const platforms = manifest.platforms.map((one) => ({ ...one, platform: nodePlatform() }))
  return archiveOf(path.join(folder, 'bundle.tar'), { ...manifest, platforms, ...change })
}

const roomy = async (): Promise<number> => 2 ** 50

test('the plan with a bundle, as it is read and typed', async (t) => {
  const { place } = recorded(t, () => [])
  const state = stateOf(place)
  const file = await bundleIn(state)
  const { code, stdout, stderr } = await runCli(['cluster', 'up', '--plan', '--bundle', file, '--state', state])
  assert.deepEqual([code, stderr], [0, ''])
  assert.ok(stdout.includes(`npx bulkhead cluster unpack ${file} `))
  // Of what comes after it the tests of the plan tell.
  const [first = ''] = stdout.replaceAll(/ \\\n +/g, ' ').split('\nWHAT THE WALLS ARE MADE WITH\n')
  // Where prose is broken depends on how long the folder's name is.
  const unbroken = first.replaceAll(/(?<=\S)\n(?=\S)/g, ' ')
  const anywhere = unbroken.replaceAll(state, 'STATE').replaceAll(nodePlatform(), 'linux/amd64')
  matchesGolden(anywhere, 'cluster/up-plan-bundle.txt')
})

test('a bundle whose apps were built from other sources is told, by their names, and taken all the same', async (t) => {
  const given = recorded(t, () => [])
  const { sources } = manifestOf()
  const image = Object.keys(sources).find((one) => one.includes('/probe:')) ?? assert.fail('there is no probe')
  const same = reader()
  await up({ bundle: await bundleIn(stateOf(given.place)), plan: true }, same.io, given)
  assert.equal(same.stderr(), '')
  const other = { sources: { ...sources, [image]: '0'.repeat(64) } }
  const file = await bundleIn(path.join(stateOf(given.place), 'other'), other)
  const said = reader()
  await up({ bundle: file, plan: true }, said.io, given)
  assert.match(
    said.stderr(),
    /^look: .+ \(2026-01-02T.*built from other sources than this clone has: (\S+)\. The cluster/,
  )
  assert.ok(said.stderr().includes(`has: ${image}.`))
  assert.match(said.stdout(), /^What `npx bulkhead cluster up --bundle FILE` does/)
})

test('a bundle of other versions is refused before anything is planned, asked or made', async (t) => {
  const given = recorded(t, () => [])
  const file = await bundleIn(stateOf(given.place), { pins: { cilium: '1.0.0' } })
  for (const plan of [true, false])
    await assert.rejects(up({ bundle: file, plan }, reader().io, given), {
      code: 'other-pins',
      message: /cilium is 1\.0\.0 in the bundle and \d+\.\d+\.\d+ in k8s\/platform\/versions\.yaml/,
    })
  assert.deepEqual(given.tools.lines(), [])
})

const cluster = (place: Place): Table => [
  [/^node .*cluster unpack /, {}],
  ...goodCluster(place),
  [/^kubectl --namespace \S+ get secrets/, {}],
  [/^docker (?!pull|buildx)/, { stdout: '{"stand-in":true}' }],
  [/^(kind load image-archive|helm upgrade|kubectl) /, {}],
  [/^node .*verify --on kind/, {}],
]

test('up with a bundle checks it first, and asks no registry; in the end what was unpacked is taken away', async (t) => {
  const given = recorded(t, cluster)
  const file = await bundleIn(stateOf(given.place))
  const unpacked = path.join(given.place.folder, 'bundle')
  const { io, stderr, code } = reader()
  const { code: checked } = await runCli(['cluster', 'unpack', file, '--state', stateOf(given.place)])
  assert.equal(checked, 0)
  assert.ok(existsSync(path.join(unpacked, 'images')))
  await up({ bundle: file }, io, { ...given, ...quick })
  assert.equal(code(), 0, stderr())
  const lines = given.tools.lines()
  const changing = lines.filter((line) => /^(kind (create|load)|helm upgrade|docker image|node)/.test(line))
  assert.match(changing[0] ?? '', /cluster unpack/)
  assert.match(changing[1] ?? '', /^docker image load /)
  assert.deepEqual(
    lines.filter((line) => /https?:\/\/[^/ ]*\.(?!0\.0\.)|--repo|docker pull|buildx/.test(line)),
    [],
  )
  assert.equal(existsSync(unpacked), false)
})

test('when a step fails, the line to go on with has the bundle in it', async (t) => {
  const given = recorded(t, (place) => [
    [/^node .*cluster unpack /, { code: 2, stderr: 'bulkhead: "bundle.tar" is not used: one is missing.\n' }],
    ...cluster(place),
  ])
  const file = await bundleIn(stateOf(given.place))
  const { io, stderr, code } = reader()
  await up({ bundle: file }, io, { ...given, ...quick })
  assert.equal(code(), 2)
  assert.match(stderr(), /step 1, "Check the bundle, and unpack it", failed: it ended with code 2/)
  assert.match(stderr(), /"bundle\.tar" is not used: one is missing\./)
  assert.ok(stderr().includes(`\`npx bulkhead cluster up --bundle ${file}\` goes on at this step`), stderr())
  assert.ok(!given.tools.lines().some((line) => line.startsWith('kind create')))
})

test('unpack says that a bundle is whole, or what is the matter with it', async (t) => {
  const { place } = recorded(t, () => [])
  const state = stateOf(place)
  const file = await bundleIn(state)
  const good = await runCli(['cluster', 'unpack', file, '--state', state])
  assert.equal(good.code, 0)
  assert.match(good.stdout, /is whole, and for this clone\. Unpacked: /)
  const again = await runCli(['cluster', 'unpack', file, '--state', state, '--json'])
  assert.equal(JSON.parse(again.stdout).there, true)
  writeFileSync(file, 'hello')
  const bad = await runCli(['cluster', 'unpack', file, '--state', state])
  assert.deepEqual([bad.code, bad.stdout], [2, ''])
  assert.match(bad.stderr, /"\S+bundle\.tar" is not a bundle/)
})

/** Makes a bundle with these answers. */
async function making(t: Parameters<typeof recorded>[0], table: Table, options: BundleOptions = {}, io = reader()) {
  const given = recorded(t, () => table)
  const file = path.join(stateOf(given.place), 'out/bundle.tar')
  mkdirSync(path.dirname(file))
  const go = () => bundle(file, options, io.io, { ...given, freeBytes: roomy })
  return { go, file, io, tools: given.tools }
}

test('bundle tells what it does and, at its end, what is in it and what to type where there is no network', async (t) => {
  const { go, file, io } = await making(t, goodFetches())
  await go()
  const manifest = await readManifest(file)
  assert.deepEqual(
    manifest.platforms.map(({ platform }) => platform),
    [nodePlatform()],
  )
  assert.match(io.stderr(), /^00:\d\d {2}Fetch the chart cilium \S+ \.\.\.$/m)
  assert.match(io.stdout(), /with its checksum in \S+bundle\.tar\.sha256\./)
  assert.match(io.stdout(), /^ {2}linux\/\w+: \d+ images$/m)
  assert.match(
    io.stdout(),
    /npm ci --offline --cache \.bulkhead\/npm-cache --registry https:\/\/packages\.example\/npm\/$/m,
  )
  assert.match(io.stdout(), /npx bulkhead cluster up --bundle \S+bundle\.tar$/m)
  assert.doesNotMatch(io.stdout(), /secret/)
})

test('bundle: a failure has the line, its last words and the cause; the same again keeps what there is', async (t) => {
  let times = 0
  const table: Table = [
    [
      /^docker pull .*mongo/,
      () => (times++ === 0 ? { code: 1, stderr: 'toomanyrequests: You have reached your pull rate limit.\n' } : {}),
    ],
  ]
  const { go, io, file } = await making(t, goodFetches(table), { platform: ['linux/arm64'], json: true })
  await assert.rejects(go(), {
    code: 'step-failed',
    message:
      /code 1: docker pull --platform linux\/arm64 docker\.io\/library\/mongo:.*toomanyrequests.*Likely: .*same command goes on/s,
  })
  await go()
  assert.match(io.stderr(), /Fetch the chart cilium \S+: it is there already$/m)
  const told = JSON.parse(io.stdout())
  assert.deepEqual([told.file, told.platforms], [file, ['linux/arm64']])
})

test('bundle: the images of this machine come last, so that Docker keeps those; where there are none it is said', async (t) => {
  const own = nodePlatform()
  const other = own === 'linux/amd64' ? 'linux/arm64' : 'linux/amd64'
  const both = await making(t, goodFetches(), { platform: [own, other] })
  await both.go()
  const { platforms } = await readManifest(both.file)
  assert.deepEqual(
    platforms.map(({ platform }) => platform),
    [other, own],
  )
  assert.doesNotMatch(both.io.stderr(), /Docker may have/)
  const one = await making(t, goodFetches(), { platform: [other] })
  await one.go()
  assert.ok(one.io.stderr().includes(`Before an \`up\` here: docker pull --platform ${own} kindest/node:`))
})

test('bundle: Ctrl-C says what is kept, and leaves no archive', async (t) => {
  const controller = new AbortController()
  const table: Table = [['helm template kyverno', { hangs: true }]]
  const io = reader(controller.signal)
  const { go, file, tools } = await making(t, goodFetches(table), {}, io)
  const run = go()
  const wait = setInterval(() => {
    if (tools.lines().some((line) => line.startsWith('helm template kyverno'))) controller.abort('SIGINT')
  }, 5)
  await assert.rejects(run, (reason) => reason === 'SIGINT').finally(() => clearInterval(wait))
  assert.match(io.stderr(), /interrupted; there is no \S+bundle\.tar\. What was fetched is in \S+bundle\.tar\.parts:/)
  assert.deepEqual(readdirSync(path.dirname(file)), ['bundle.tar.parts'])
})

test('bundle: a folder that is not there is not made up: the stick may not be in', async () => {
  const { code, stderr } = await runCli(['cluster', 'bundle', '/nowhere/stick/bundle.tar'])
  assert.equal(code, 2)
  assert.match(stderr, /there is no folder "\/nowhere\/stick"/)
})

test('bundle: platforms that are none are refused', async () => {
  for (const given of ['amd64', 'linux/amd64,windows/amd64', '']) {
    const { code, stderr } = await runCli(['cluster', 'bundle', 'never.tar', '--platform', given])
    assert.equal(code, 2)
    assert.match(stderr, /linux\/amd64 or linux\/arm64/)
  }
})
