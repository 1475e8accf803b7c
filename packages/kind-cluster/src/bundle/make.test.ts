import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { imagesOf } from '../plan/images.js'
import { root } from '../plan/testing.js'
import { readManifest } from './check.js'
import { withoutDigest } from './images.js'
import { partsFolder } from './make.js'
import { sourcesOf } from './sources.js'
import { bench, filesIn, goodFetches, pins, platform, rendered, sha256, type Table } from './testing.js'

test('everything is in it, with what it was made for, and its checksum lies beside it', async (t) => {
  const { file, folder, make, tools } = bench(t)
  const { manifest, sha256: sum, bytes } = await make()
  assert.deepEqual(await readManifest(file), JSON.parse(JSON.stringify(manifest)))
  assert.equal(sum, sha256(readFileSync(file, 'latin1')))
  assert.equal(readFileSync(`${file}.sha256`, 'utf8'), `${sum}  bundle.tar\n`)
  assert.ok(bytes >= readFileSync(file).length - 1024)
  assert.deepEqual(filesIn(dirname(file)), ['bundle.tar', 'bundle.tar.sha256'], 'parts or a lock were left')
  assert.deepEqual(tools.unused(), [])
  assert.deepEqual(tools.astray(join(folder, 'state/kind/kubeconfig')), [])

  execFileSync('tar', ['-xf', file, '-C', folder])
  assert.deepEqual(manifest.files.map(({ path }) => path).sort(), [
    `charts/base-${pins.istio}.tgz`,
    `charts/cilium-${pins.cilium}.tgz`,
    `charts/cni-${pins.istio}.tgz`,
    `charts/istiod-${pins.istio}.tgz`,
    `charts/kyverno-${pins.kyverno.chart}.tgz`,
    `charts/ztunnel-${pins.istio}.tgz`,
    'gateway-api/standard-install.yaml',
    'images/linux-amd64/docker.io-istio.tar',
    'images/linux-amd64/docker.io-library.tar',
    'images/linux-amd64/ghcr.io-kyverno.tar',
    'images/linux-amd64/kindest-node.tar',
    'images/linux-amd64/localhost-bulkhead.tar',
    'images/linux-amd64/quay.io-cilium.tar',
    'images/linux-amd64/reg.kyverno.io-kyverno.tar',
    `npm-cache/_cacache/content-v2/sha512/ab/cd/${'e'.repeat(124)}`,
  ])
  for (const { path, sha256: told, size } of manifest.files) {
    const text = readFileSync(join(folder, path), 'utf8')
    assert.deepEqual([sha256(text), text.length], [told, size], path)
  }
  assert.equal(manifest.npm.registry, 'https://packages.example/npm/', 'a password would be given along')
  assert.deepEqual(manifest.sources, sourcesOf(root, pins))
})

test('images are those that charts and pins name, each once: by digest where one is known, saved by their tags', async (t) => {
  const { make, tools } = bench(t)
  const { manifest } = await make()
  const lines = tools.lines()
  const named = manifest.platforms[0]?.archives.flatMap(({ images }) => images) ?? []
  assert.equal(new Set(named).size, named.length)
  for (const image of pins.images) assert.ok(named.includes(image), image)
  for (const image of ['quay.io/cilium/operator-generic:v1', 'reg.kyverno.io/kyverno/kyverno:v1'])
    assert.ok(named.includes(image), image)
  assert.deepEqual(
    named.filter((image) => image !== withoutDigest(image)),
    [],
  )
  const ours = imagesOf(pins).built
  const pulled = lines.filter((line) => line.startsWith('docker pull '))
  assert.equal(pulled.length, named.length - ours.length + 1)
  for (const line of pulled) assert.match(line, /^docker pull --platform linux\/amd64 /)
  const cilium = `quay.io/cilium/cilium:v${pins.cilium}`
  const at = lines.indexOf(`docker pull --platform linux/amd64 ${cilium}@sha256:${'c'.repeat(64)}`)
  assert.equal(lines[at + 1], `docker image tag quay.io/cilium/cilium@sha256:${'c'.repeat(64)} ${cilium}`)
  const node = withoutDigest(pins.kind.node)
  assert.ok(lines.includes(`docker pull --platform linux/amd64 ${pins.kind.node}`))
  assert.ok(lines.some((line) => line.startsWith('docker image tag kindest/node@sha256:') && line.endsWith(` ${node}`)))
  for (const image of ours)
    assert.ok(lines.some((line) => line.startsWith('docker buildx build') && line.includes(image)))
  for (const line of lines.filter((one) => one.startsWith('docker image save'))) assert.doesNotMatch(line, /sha256/)
})

test('for two platforms each image is there for both, and the packages for all machines', async (t) => {
  const { make, tools } = bench(t)
  const { manifest } = await make({ platforms: [platform, 'linux/arm64'] })
  const [amd, arm] = manifest.platforms.map(({ archives }) => archives.flatMap(({ images }) => images))
  assert.deepEqual(amd, arm)
  assert.ok(manifest.files.some(({ path }) => path === 'images/linux-arm64/quay.io-cilium.tar'))
  const installs = tools.lines().filter((line) => line.startsWith('npm ci'))
  const machines = installs.map((line) => /--cpu (\S+) --os (\S+)/.exec(line)?.slice(1).join('/') ?? 'offline')
  assert.deepEqual(machines, ['x64/darwin', 'x64/linux', 'arm64/darwin', 'arm64/linux', 'offline'])
  assert.match(installs.at(-1) ?? '', / --offline$/)
})

test('what failed in the middle is gone on with, and what is built here is built again', async (t) => {
  let times = 0
  const table = goodFetches([[/^docker pull .*kyverno\/kyverno:/, () => ({ code: times++ === 0 ? 1 : 0 })]])
  const { file, make, tools, told } = bench(t, table)
  await assert.rejects(make(), { name: 'ActionError', message: 'it ended with code 1' })
  assert.equal(existsSync(file), false)
  assert.ok(!existsSync(join(partsFolder(file), 'unfinished')), 'half a file was left')
  const first = tools.lines().length
  await make()
  const second = tools.lines().slice(first)
  assert.equal(second.filter((line) => /^(helm pull|curl|docker pull .*(cilium|mongo|node))/.test(line)).length, 0)
  assert.equal(second.filter((line) => line.startsWith('docker buildx build')).length, imagesOf(pins).built.length)
  assert.ok(told.includes(`kept: Fetch the chart cilium ${pins.cilium}`))
  assert.ok(existsSync(file))
})

test('parts that were fetched for other pins or platforms are not taken', async (t) => {
  const { file, make } = bench(t, goodFetches([[/^npm ci /, { code: 1 }]]))
  await assert.rejects(make(), { name: 'ActionError' })
  const stale = join(partsFolder(file), 'files/images/linux-amd64/quay.io-cilium.tar')
  writeFileSync(stale, 'stale')
  await assert.rejects(make(), { name: 'ActionError' })
  assert.equal(readFileSync(stale, 'utf8'), 'stale')
  await assert.rejects(make({ pins: { ...pins, cilium: '1.0.0' } }), { name: 'ActionError' })
  assert.notEqual(readFileSync(stale, 'utf8'), 'stale')
})

test('Ctrl-C at each command leaves no archive and no half file, and the next run makes it', async (t) => {
  const { make: count, tools } = bench(t)
  await count()
  const all = tools.lines().length
  for (let nth = 0; nth < all; nth += 1) {
    const controller = new AbortController()
    const { file, make, tools: inner } = bench(t)
    let asked = 0
    const run: typeof inner.run = async (command, options) => {
      const result = await inner.run(command, options)
      if (asked++ === nth) controller.abort('SIGINT')
      options?.signal?.throwIfAborted()
      return result
    }
    await assert.rejects(make({ tools: { run }, signal: controller.signal }), (reason) => reason === 'SIGINT')
    const left = filesIn(dirname(file))
    assert.deepEqual(
      left.filter((path) => !/^bundle\.tar\.parts\/(made-for|files\/)/.test(path)),
      [],
    )
    if (nth % 10 === 0) assert.ok((await make()).bytes > 0)
  }
})

test('Ctrl-C while it is packed leaves nothing of the archive', async (t) => {
  const { file, make } = bench(t)
  const controller = new AbortController()
  const tell = (what: string): void => {
    if (what === 'Pack it') controller.abort('SIGINT')
  }
  await assert.rejects(make({ tell, signal: controller.signal }), (reason) => reason === 'SIGINT')
  assert.deepEqual(
    filesIn(dirname(file)).filter((path) => !path.startsWith('bundle.tar.parts/files/')),
    ['bundle.tar.parts/made-for'],
  )
})

test('a folder is not said to be in the way, and so to be deleted', async (t) => {
  const { make, file } = bench(t)
  mkdirSync(file, { recursive: true })
  await assert.rejects(make(), { code: 'there', message: /bundle\.tar" is a folder; name the file/ })
})

test('room is asked for before anything is fetched, and again when it is known how much it is', async (t) => {
  const { make, tools, file } = bench(t)
  await assert.rejects(make({ freeBytes: async () => 2 ** 30 }), { code: 'space', message: /has 1\.0 GiB free/ })
  assert.deepEqual(tools.lines(), [])
  let asked = 0
  const shrinking = async (): Promise<number> => (asked++ === 0 ? 2 ** 50 : 100)
  await assert.rejects(make({ freeBytes: shrinking }), { code: 'space' })
  assert.equal(existsSync(file), false)
})

test('a file that is there already is not written over, and two do not make the same one', async (t) => {
  const { make, file, tools } = bench(t)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'mine')
  await assert.rejects(make(), { code: 'there', message: /is there already/ })
  assert.equal(readFileSync(file, 'utf8'), 'mine')
  writeFileSync(`${file}.lock`, String(process.pid))
  await assert.rejects(make(), { name: 'LockedError' })
  assert.deepEqual(tools.lines(), [])
})

test('a page in place of the definitions, and charts whose nodes would ask a registry all the same, are said', async (t) => {
  const login: Table = [
    [
      /^curl /,
      ({ args }) => {
        writeFileSync(args[args.indexOf('--output') + 1] ?? '', '<html>')
        return {}
      },
    ],
  ]
  const page = bench(t, goodFetches(login))
  await assert.rejects(page.make(), { code: 'contents', message: /has no definitions in it/ })

  const change = (from: RegExp, to: string) =>
    bench(
      t,
      goodFetches([
        [/^helm template /, (command) => ({ stdout: (rendered(command).stdout ?? '').replaceAll(from, to) })],
      ]),
    )
  const always = change(/IfNotPresent/g, 'Always')
  await assert.rejects(always.make(), { code: 'contents', message: /imagePullPolicy Always/ })
  const pinned = change(/kyverno:v1"/g, `kyverno:v1@sha256:${'d'.repeat(64)}"`)
  await assert.rejects(pinned.make(), { code: 'contents', message: /names .*kyverno:v1@sha256:.* by its digest/ })
  const torn = change(/containers:/g, 'containers: [')
  await assert.rejects(torn.make(), { code: 'contents', message: /is no YAML/ })
})

test('what helm says when it cannot render a chart is kept', async (t) => {
  const said = 'Error: execution error at (cilium/templates/validate.yaml:9:5): no such key'
  const { make } = bench(t, goodFetches([['helm template cilium', { code: 1, stderr: `${said}\n` }]]))
  await assert.rejects(make(), (error) => {
    assert.ok(error instanceof Error && 'result' in error)
    assert.deepEqual((error.result as { stderr: string }).stderr, said)
    return true
  })
})
