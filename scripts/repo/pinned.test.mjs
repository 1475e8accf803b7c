import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { text, writtenFiles } from './repository.mjs'

/*
 * k8s/platform/versions.yaml has every pin. Whoever else names one of those versions is found by renovate.json, and so moves with it.
 */

const pins = parse(text('k8s/platform/versions.yaml'))
const { customManagers } = JSON.parse(text('renovate.json'))
const tagOf = (image) => image.slice(image.indexOf(':') + 1)
const imageOf = (name) => pins.images.find((image) => image.startsWith(`${name}:`)) ?? assert.fail(name)

/** By what the managers call it: the version, and the digest where there is one. */
const pinned = {
  'kubernetes/kubernetes': pins.kubernetes,
  'kindest/node': tagOf(pins.kind.node),
  'kubernetes-sigs/kind': pins.kind.version,
  node: pins.node.version,
  'docker.io/library/node': tagOf(pins.node.image),
  'gcr.io/distroless/cc-debian13': tagOf(pins.node.base),
  cilium: pins.cilium,
  'istio/istio': pins.istio,
  'kubernetes-sigs/gateway-api': pins['gateway-api'],
  'kyverno/kyverno': pins.kyverno.version,
  kyverno: pins.kyverno.chart,
  'helm/helm': pins.tools.helm.version,
  'cilium/cilium-cli': pins.tools.cilium.version,
  'docker.io/library/mongo': tagOf(imageOf('docker.io/library/mongo')),
  'docker.io/library/postgres': tagOf(imageOf('docker.io/library/postgres')),
}

const files = writtenFiles().map((file) => file.replaceAll('\\', '/'))
const isOf = ({ managerFilePatterns }, file) =>
  managerFilePatterns.some((pattern) => new RegExp(pattern.slice(1, -1)).test(file))

/** Everything that the managers find: in which file, what, and which version. */
const found = customManagers.flatMap((manager) =>
  files
    .filter((file) => isOf(manager, file))
    .flatMap((file) =>
      manager.matchStrings.flatMap((pattern) =>
        [...text(file).matchAll(new RegExp(pattern, 'g'))].map(({ groups, index, 0: whole }) => {
          const { depName = manager.depNameTemplate, currentValue, currentDigest } = groups
          const version = currentDigest === undefined ? currentValue : `${currentValue}@${currentDigest}`
          return { manager, pattern, file, depName, version, from: index, to: index + whole.length }
        }),
      ),
    ),
)

test('everything that is pinned has a manager that finds it in versions.yaml, and nothing there has none', () => {
  const there = found.filter(({ file }) => file === 'k8s/platform/versions.yaml').map(({ depName }) => depName)
  assert.deepEqual([...new Set(there)].sort(), Object.keys(pinned).sort())
})

test('whatever the managers find names the pinned version', () => {
  for (const { depName, version, file } of found)
    if (depName in pinned) assert.equal(version, pinned[depName], `${file} names another ${depName}`)
  // What is pinned where it is used.
  const others = new Set(found.map(({ depName }) => depName).filter((name) => !(name in pinned)))
  assert.deepEqual([...others].sort(), [
    '@aws-cdk/lambda-layer-kubectl-v35',
    'checkov',
    'golang.stackrox.io/kube-linter',
  ])
})

test('no expression of a manager finds nothing', () => {
  for (const manager of customManagers)
    for (const pattern of manager.matchStrings)
      assert.ok(
        found.some((one) => one.manager === manager && one.pattern === pattern),
        `${manager.description}: ${pattern}`,
      )
})

/** What was, what was measured then, and data of tests that need no certain version. */
const isFree = (file) =>
  /^(CHANGELOG\.md|benchmarks\/|docs\/decisions\/|packages\/kind-cluster\/src\/(.*\/)?testing\/)/.test(file) ||
  /(^|\/)fixtures\/|\.test\.(ts|mjs)$|(^|\/)package(-lock)?\.json$/.test(file) ||
  file === 'renovate.json'

test('nobody names a pinned version that no manager finds', () => {
  const versions = Object.values(pinned).map((version) => version.replace(/@.*/, '').replace(/^v/, ''))
  const literal = versions
    .filter((version) => /^\d+(\.\d+)+$/.test(version))
    .map((version) => version.replaceAll('.', '\\.'))
  const mentions = new RegExp(`(?<![\\d.\\w-])v?(${literal.join('|')})(?![\\d\\w]|\\.\\d)`, 'g')
  let seen = 0
  for (const file of files.filter((one) => !isFree(one))) {
    const content = text(file)
    for (const { index, 0: version } of content.matchAll(mentions)) {
      seen += 1
      const isFound = found.some((one) => one.file === file && one.from <= index && index + version.length <= one.to)
      const line = content.slice(0, index).split('\n').length
      assert.ok(isFound, `${file}:${line} names ${version}, which no manager of renovate.json would move`)
    }
  }
  assert.ok(seen > 40, `${seen}`)
})

test("the kubectl that is fetched is of the cluster's minor version", () => {
  const [, minor] = /lambda-layer-kubectl-v(\d+)@/.exec(text('scripts/kubectl.mjs')) ?? []
  assert.equal(minor, pins.kubernetes.split('.')[1])
})
