import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { manifestOf, pins } from '../bundle/testing.js'
import { placeOf } from '../place.js'
import { namesOurCluster, shortCommandLine } from '../tools/command-line.js'
import { unpackedBundle } from './bundled.js'
import { root } from './testing.js'
import { upPlan } from './up.js'
import { readFacts } from './workloads.js'

const place = placeOf(root, join(root, '.bulkhead'))
const manifest = manifestOf()
const part = manifest.platforms[0] ?? assert.fail('the manifest has no platform')
const facts = await readFacts(root)
const input = { place, pins, platform: 'linux/amd64', facts }
const bundle = unpackedBundle('/stick/bundle.tar', place, manifest, part)
const { steps } = upPlan({ ...input, bundle })
const fetched = upPlan(input).steps
const commandsOf = (some: typeof steps) =>
  some.flatMap(({ actions, done, cleanup }) => [
    ...actions.map(({ command }) => command),
    ...(typeof done === 'object' ? [done.command] : []),
    ...(cleanup === undefined ? [] : [cleanup]),
  ])
const lines = commandsOf(steps).map(shortCommandLine)

/** What asks a network: an address of the world, a repository of charts, an image to be pulled or built, a package to be fetched. */
const network =
  /https?:\/\/[^/\s]*\.(?!0\.0\.)|oci:\/\/|--repo\b|--version\b|^docker pull|--pull (?!never)|\bbuildx\b|^(npm|npx|curl) |kind load docker-image|@sha256:/

test('not one line of a plan with a bundle needs a network, and without one many do', () => {
  assert.deepEqual(
    lines.filter((line) => network.test(line)),
    [],
  )
  const others = commandsOf(fetched).map(shortCommandLine)
  assert.ok(others.filter((line) => network.test(line)).length >= 16)
})

test('it is the same plan otherwise: the same steps after the cluster, and no line that does not name ours', () => {
  const ids = (some: typeof steps): readonly string[] => some.map(({ id }) => id)
  const first = ['bundle', 'node-image', 'cluster', 'load-images', 'load-platform', 'databases']
  assert.deepEqual(ids(steps), [...first, ...ids(fetched).slice(ids(fetched).indexOf('databases') + 1)])
  const later = (some: typeof steps) => some.slice(ids(some).indexOf('accounts'))
  assert.deepEqual(later(steps), later(fetched))
  assert.deepEqual(
    commandsOf(steps).filter((command) => !namesOurCluster(command, place.kubeconfig)),
    [],
  )
})

test('nodes are made of the image that Docker was given, by its tag, and have every image before anything runs', () => {
  const at = (pattern: RegExp): number => {
    const index = lines.findIndex((line) => pattern.test(line))
    assert.ok(index >= 0, String(pattern))
    return index
  }
  const files = join(place.folder, 'bundle')
  assert.ok(at(/^node .*bulkhead\.js cluster unpack \/stick\/bundle\.tar$/) === 0)
  assert.equal(lines[1], `docker image load --input ${files}/images/linux-amd64/kindest-node.tar`)
  assert.match(lines[2] ?? '', /^kind create cluster .*--image kindest\/node:v1$/)
  for (const { file } of part.archives)
    assert.ok(
      at(new RegExp(`^kind load image-archive ${files}/${file} `)) < at(/^helm upgrade --install cilium /),
      file,
    )
  assert.match(lines[at(/docker\.io-library/)] ?? '', / --nodes bulkhead-worker,bulkhead-worker2$/)
  assert.doesNotMatch(lines[at(/quay\.io-cilium\.tar/)] ?? '', /--nodes/)
})

test('charts and definitions are files of the bundle, with the values that switch off digests', () => {
  const files = join(place.folder, 'bundle')
  const installs = lines.filter((line) => line.startsWith('helm upgrade --install'))
  assert.equal(installs.length, 6)
  for (const line of installs) assert.ok(line.includes(` ${files}/charts/one.tgz `), line)
  assert.match(installs[0] ?? '', /--values k8s\/platform\/helm\/cilium-bundle\.yaml --wait/)
  assert.ok(
    lines.some((line) => line.includes(`kubectl apply --server-side -f ${files}/gateway-api/standard-install.yaml`)),
  )
  const cilium = steps.find(({ id }) => id === 'cilium')
  assert.ok(cilium?.files?.includes('k8s/platform/helm/cilium-bundle.yaml'))
  assert.deepEqual(cilium?.done, fetched.find(({ id }) => id === 'cilium')?.done)
})

test('what is on the nodes already is not loaded again, but for our own, which may have been built anew', () => {
  const doneOf = (id: string) => steps.find((step) => step.id === id)?.done
  assert.equal(doneOf('load-images'), undefined)
  const platform = doneOf('load-platform')
  assert.deepEqual(typeof platform === 'object' && platform.holds, {
    kind: 'images',
    images: ['quay.io/cilium/cilium:v1'],
    nodes: ['bulkhead-control-plane', 'bulkhead-worker', 'bulkhead-worker2'],
  })
})

test('no pod of ours has its node ask a registry for an image that is there', async () => {
  const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], {
    relativeTo: root,
  })
  const policies = JSON.stringify(resources.map(({ object }) => object)).match(/"imagePullPolicy":"\w+"/g) ?? []
  assert.ok(policies.length > 0)
  assert.deepEqual(
    policies.filter((one) => one.includes('Always')),
    [],
  )
  assert.deepEqual(
    pins.images.filter((image) => /:latest$|\/[^:]+$/.test(image)),
    [],
  )
})

test('a bundle without a chart that the plan installs is none', () => {
  assert.throws(() => upPlan({ ...input, bundle: { ...bundle, charts: {} } }), /has no chart cilium/)
})
