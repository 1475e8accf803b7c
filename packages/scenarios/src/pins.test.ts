import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parseYaml } from '@bulkhead/resources/yaml'
import { istioVersion, proxyImage } from '@bulkhead/verdict'
import { resources } from './testing/repository.js'

/*
 * k8s/platform/versions.yaml says what everything is pinned to; whatever else names a version is held against it.
 */

const root = resolve(import.meta.dirname, '../../..')
const text = (path: string): string => readFileSync(join(root, path), 'utf8')
const platform = (path: string): string => text(join('k8s/platform', path))

interface Pins {
  readonly kubernetes: string
  readonly kind: { readonly version: string; readonly node: string }
  readonly cilium: string
  readonly istio: string
  readonly 'gateway-api': string
  readonly kyverno: { readonly version: string; readonly chart: string }
  readonly images: readonly string[]
}
const pins = yamlOf<Pins>('versions.yaml')

function documentsOf(source: string): readonly unknown[] {
  const { documents, problems } = parseYaml(source)
  assert.deepEqual(problems, [])
  return documents.map(({ value }) => value)
}

function yamlOf<T>(path: string): T {
  return documentsOf(platform(path))[0] as T
}

/** Every string under a key of that name, wherever it is. */
function valuesOf(key: string, within: unknown): readonly string[] {
  if (typeof within !== 'object' || within === null) return []
  return Object.entries(within).flatMap(([name, value]) =>
    name === key && typeof value === 'string' ? [value] : valuesOf(key, value),
  )
}

const sorted = (values: readonly string[]): readonly string[] => [...new Set(values)].sort()

describe('k8s/platform/versions.yaml', () => {
  it('pins what the workloads run, each by its whole name', () => {
    const workloads = resources.filter(({ layer, kind }) => layer === undefined && kind !== 'Secret')
    const run = valuesOf(
      'image',
      workloads.map(({ object }) => object),
    )
    assert.deepEqual(sorted([...run, proxyImage]), sorted(pins.images))
    for (const image of pins.images) assert.match(image, /^[a-z.]+(\/[a-z0-9-]+){2}:[a-z0-9.-]*[0-9][a-z0-9.-]*$/)
  })

  it('pins what admission lets run, and no more', () => {
    const policy = text('k8s/layers/10-admission/allowed-images/policy.yaml')
    assert.deepEqual(sorted(policy.match(/(?<=')[a-z.]+\/[^']+(?=')/g) ?? []), sorted(pins.images))
    const exceptions = resources
      .filter(({ kind }) => kind === 'PolicyException')
      .map(({ object }) => JSON.stringify(object))
    const excepted = exceptions.flatMap((one) => one.match(/(?<=')(localhost|docker\.io)\/[^']+(?=')/g) ?? [])
    const istios = ['pilot', 'install-cni', 'ztunnel'].map((name) => `docker.io/istio/${name}:${pins.istio}-distroless`)
    assert.deepEqual(
      excepted.filter((image) => !pins.images.includes(image) && !istios.includes(image)),
      [],
    )
    assert.ok(istios.every((image) => excepted.includes(image)))
  })

  it('pins what manifest-gen may write down', () => {
    const env = JSON.stringify(resources.find(({ id }) => id === 'Deployment/manifest-gen/manifest-gen')?.object)
    assert.deepEqual(
      sorted(env.match(/(?:localhost|docker\.io)\/[a-z/0-9-]+:[a-z0-9.-]+(?=[, "])/g) ?? []),
      sorted(pins.images),
    )
  })

  it('pins the Istio whose templates the engine knows, and that the charts install', () => {
    assert.equal(istioVersion, pins.istio)
    for (const name of ['istiod', 'cni', 'ztunnel']) {
      const values = yamlOf<{ global: { hub: string; tag: string }; profile: string }>(`helm/istio-${name}.yaml`)
      assert.deepEqual(
        [values.global.hub, values.global.tag, values.profile],
        ['docker.io/istio', pins.istio, 'ambient'],
      )
    }
  })

  it('pins what Argo CD syncs', () => {
    const charts: Readonly<Record<string, string>> = {
      base: pins.istio,
      istiod: pins.istio,
      cni: pins.istio,
      ztunnel: pins.istio,
      kyverno: pins.kyverno.chart,
    }
    const found = applications.flatMap(({ spec }) => (spec.sources ?? [spec.source]).flatMap((source) => source ?? []))
    const byChart = found
      .filter(({ chart }) => chart !== undefined)
      .map(({ chart = '', targetRevision }) => [chart, targetRevision])
    assert.deepEqual(Object.fromEntries(byChart), charts)
    assert.equal(found.find(({ path }) => path === 'config/crd')?.targetRevision, `v${pins['gateway-api']}`)
  })

  it('is what the table in k8s/README.md and the steps say', () => {
    const table = text('k8s/README.md')
    const versions = [
      pins.kubernetes,
      pins.kind.version,
      pins.cilium,
      pins.istio,
      pins['gateway-api'],
      pins.kyverno.version,
    ]
    for (const version of versions) assert.ok(table.includes(`| ${version} `), `k8s/README.md has no ${version}`)
    const steps = [table, platform('argocd/README.md'), text('docs/scale.md')].flatMap((page) => [
      ...page.matchAll(/--version (\S+)/g),
    ])
    const known = [pins.cilium, pins.istio, pins.kyverno.chart]
    assert.ok(steps.length > 0)
    for (const [step, version = ''] of steps) assert.ok(known.includes(version.replace(/`.*/, '')), step)
    assert.ok(pins.kind.node.startsWith(`kindest/node:v${pins.kubernetes}@sha256:`))
  })
})

interface Application {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly source?: Source; readonly sources?: readonly Source[] }
}
interface Source {
  readonly repoURL: string
  readonly path?: string
  readonly chart?: string
  readonly targetRevision: string
  readonly ref?: string
  readonly helm?: { readonly valueFiles: readonly string[] }
  readonly directory?: { readonly include?: string; readonly exclude?: string }
}

const apps = 'k8s/platform/argocd/apps'
const applications = readdirSync(join(root, apps))
  .filter((file) => file !== 'kustomization.yaml')
  .map((file) => documentsOf(text(join(apps, file)))[0] as Application)

describe('the applications of Argo CD', () => {
  const waveOf = (name: string): number =>
    Number(
      applications.find(({ metadata }) => metadata.name === name)?.metadata.annotations?.[
        'argocd.argoproj.io/sync-wave'
      ],
    )

  it('are all in the kustomization, and each layer and the workloads have one', () => {
    const listed = text(join(apps, 'kustomization.yaml'))
    for (const { metadata } of applications) assert.ok(listed.includes(`  - ${metadata.name}.yaml\n`), metadata.name)
    for (const layer of readdirSync(join(root, 'k8s/layers'))) {
      const own = applications.find(({ metadata }) => metadata.name === layer)
      assert.equal(own?.spec.source?.path, `k8s/layers/${layer}`)
    }
  })

  it('begin with definitions, and bring walls before what is behind them', () => {
    const order = [
      ['gateway-api', 'istio-base', 'kyverno'],
      ['istio-istiod'],
      ['istio-cni', 'istio-ztunnel'],
      ['namespaces'],
      ['10-admission'],
      ['20-network', '30-cilium', '40-mtls', '50-identity', '60-requests'],
      ['workloads'],
      ['70-ingress'],
    ]
    assert.deepEqual(order.flat().toSorted(), applications.map(({ metadata }) => metadata.name).toSorted())
    for (const [wave, names] of order.entries()) for (const name of names) assert.equal(waveOf(name), wave, name)
  })

  it('read folders of manifests or charts, and no folder that has both', () => {
    for (const { metadata, spec } of applications)
      for (const { path, chart, ref, helm, repoURL } of spec.sources ?? (spec.source ? [spec.source] : [])) {
        assert.equal([path, chart, ref].filter((one) => one !== undefined).length, 1, metadata.name)
        for (const file of helm?.valueFiles ?? []) assert.ok(text(file.replace('$values/', '')).length > 0, file)
        if (path === undefined || repoURL.startsWith('https://github.com/')) continue
        const files = readdirSync(join(root, path), { recursive: true }).map(String)
        assert.deepEqual(
          files.filter((file) => /(^|\/)(Chart|values)\.yaml$/.test(file)),
          [],
          metadata.name,
        )
      }
  })

  it('are told where the repository is by one file', () => {
    const own = applications.flatMap(({ spec }) => spec.sources ?? (spec.source ? [spec.source] : []))
    const named = own.filter(({ repoURL }) => repoURL === 'set-by-kustomize')
    assert.ok(named.length >= 14)
    for (const { repoURL } of own.filter((source) => !named.includes(source))) assert.match(repoURL, /^https:\/\//)
  })
})
