import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { readPins } from '../pins.js'
import { placeOf } from '../place.js'
import { chartsOf } from '../plan/charts.js'
import { root } from '../plan/testing.js'
import { type Answer, type Answers, type Matcher, type RecordingTools, recordingTools } from '../testing/recording.js'
import type { Command } from '../tools.js'
import { writeArchive } from './archive.js'
import { valuesOf } from './check.js'
import { type MadeBundle, type MakeBundleOptions, makeBundle } from './make.js'
import { type BundleManifest, MANIFEST, SCHEMA } from './manifest.js'
import { sourcesOf } from './sources.js'

export type Table = readonly (readonly [Matcher, Answers])[]

export const pins = readPins(root)
export const platform = 'linux/amd64'
export const roomy = async (): Promise<number> => 2 ** 50

/** Every file below a folder, in order. */
export const filesIn = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
        .sort()
    : []

const optionOf = ({ args }: Command, name: string): string => args[args.indexOf(name) + 1] ?? ''

function writes(target: string, text: string): Answer {
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
  return {}
}

const digest = `@sha256:${'c'.repeat(64)}`
const deployment = (...images: readonly string[]): string =>
  [
    '---',
    '# Source: made up',
    'apiVersion: apps/v1',
    'kind: Deployment',
    'metadata: { name: one }',
    'spec:',
    '  template:',
    '    spec:',
    '      containers:',
    ...images.map((image, index) => `        - { name: c${index}, image: "${image}", imagePullPolicy: IfNotPresent }`),
  ].join('\n')

/** What helm makes of our charts, in short: a name by digest where Cilium's chart gives one, a hook, and a definition. */
export function rendered(command: Command): Answer {
  const release = command.args[command.args.indexOf('template') + 1] ?? ''
  const inBundle = command.args.some((arg) => arg.endsWith('cilium-bundle.yaml'))
  const end = inBundle ? '' : digest
  const texts: Readonly<Record<string, string>> = {
    cilium: deployment(`quay.io/cilium/cilium:v${pins.cilium}${end}`, `quay.io/cilium/operator-generic:v1${end}`),
    'istio-istiod': deployment(`docker.io/istio/pilot:${pins.istio}-distroless`),
    'istio-cni': deployment(`docker.io/istio/install-cni:${pins.istio}-distroless`),
    'istio-ztunnel': deployment(`docker.io/istio/ztunnel:${pins.istio}-distroless`),
    kyverno: `${deployment('reg.kyverno.io/kyverno/kyverno:v1')}\n${deployment('ghcr.io/kyverno/readiness-checker:v1')}`,
  }
  const definition = '---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {a: [}'
  return { stdout: `${texts[release] ?? ''}\n${definition}` }
}

/** Programs that fetch everything, and write what they would, in a few bytes. */
export const goodFetches = (first: Table = []): Table => [
  ...first,
  ['docker version', { stdout: '28.5.1\n' }],
  ['docker buildx version', { stdout: 'github.com/docker/buildx v0.30.1\n' }],
  ['helm version', { stdout: `v${pins.tools.helm.version}\n` }],
  ['npm --version', { stdout: '11.19.1\n' }],
  ['npm config get registry', { stdout: 'https://someone:secret@packages.example/npm/\n' }],
  [
    /^helm pull /,
    (command) => {
      const name = `${command.args[command.args.indexOf('pull') + 1]}-${optionOf(command, '--version')}.tgz`
      return writes(join(optionOf(command, '--destination'), name), `chart ${name}`)
    },
  ],
  [/^curl /, (command) => writes(optionOf(command, '--output'), 'kind: CustomResourceDefinition\n')],
  [/^helm template /, rendered],
  [/^docker (pull|image tag|buildx build) /, {}],
  [
    /^docker image save /,
    (command) => {
      const images = command.args.slice(command.args.indexOf('--output') + 2)
      return writes(optionOf(command, '--output'), `${optionOf(command, '--platform')}: ${images.join(' ')}`)
    },
  ],
  [
    /^npm ci /,
    (command) => {
      const cache = optionOf(command, '--cache')
      writes(join(cache, '_logs/log.txt'), 'not for others')
      return writes(join(cache, `_cacache/content-v2/sha512/ab/cd/${'e'.repeat(124)}`), 'a package')
    },
  ],
]

export interface Bench {
  readonly folder: string
  readonly file: string
  readonly tools: RecordingTools
  readonly told: readonly string[]
  make(more?: Partial<MakeBundleOptions>): Promise<MadeBundle>
}

/** Makes bundles into a folder of its own, with these answers. */
export function bench(t: TestContext, table: Table = goodFetches()): Bench {
  const folder = temporaryFolder(t)
  const file = join(folder, 'out/bundle.tar')
  const tools = recordingTools(table)
  const told: string[] = []
  const place = placeOf(root, join(folder, 'state'))
  const make: Bench['make'] = (more = {}) =>
    makeBundle({
      ...{ file, place, pins, platforms: [platform], tools, freeBytes: roomy },
      tell: (what, there) => told.push(`${there ? 'kept: ' : ''}${what}`),
      now: () => new Date('2026-01-02T03:04:05Z'),
      ...more,
    })
  return { folder, file, tools, told, make }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What a small bundle for this clone has, by path. */
export const contents: Readonly<Record<string, string>> = {
  'images/linux-amd64/kindest-node.tar': 'the node image',
  'images/linux-amd64/localhost-bulkhead.tar': 'ours',
  'images/linux-amd64/docker.io-library.tar': 'databases',
  'images/linux-amd64/quay.io-cilium.tar': 'cilium',
  'charts/one.tgz': 'a chart',
  'gateway-api/standard-install.yaml': 'definitions',
  'npm-cache/_cacache/some': 'a package',
}

/** Its manifest. */
export function manifestOf(files: Readonly<Record<string, string>> = contents): BundleManifest {
  return {
    schema: SCHEMA,
    made: '2026-01-02T03:04:05.000Z',
    pins: { ...pins },
    values: { ...valuesOf(root, pins) },
    sources: { ...sourcesOf(root, pins) },
    tools: {},
    platforms: [
      {
        platform,
        node: { image: 'kindest/node:v1', file: 'images/linux-amd64/kindest-node.tar' },
        archives: [
          { file: 'images/linux-amd64/localhost-bulkhead.tar', images: ['localhost/bulkhead/probe:0.1.0'] },
          { file: 'images/linux-amd64/docker.io-library.tar', images: ['docker.io/library/mongo:8'] },
          { file: 'images/linux-amd64/quay.io-cilium.tar', images: ['quay.io/cilium/cilium:v1'] },
        ],
      },
    ],
    charts: Object.fromEntries(Object.values(chartsOf(pins)).map(({ name }) => [name, 'charts/one.tgz'])),
    gatewayApi: 'gateway-api/standard-install.yaml',
    npm: { registry: 'https://packages.example/' },
    files: Object.entries(files).map(([path, text]) => ({ path, size: Buffer.byteLength(text), sha256: sha256(text) })),
  }
}

/** Writes an archive of a manifest and files, which need not fit each other. */
export async function archiveOf(
  file: string,
  manifest: unknown = manifestOf(),
  files: readonly (readonly [string, string])[] = Object.entries(contents),
): Promise<string> {
  const packed = [[MANIFEST, typeof manifest === 'string' ? manifest : JSON.stringify(manifest)] as const, ...files]
  mkdirSync(dirname(file), { recursive: true })
  await writeArchive(
    file,
    packed.map(([path, text]) => ({ path, size: Buffer.byteLength(text), from: { text } })),
  )
  return file
}
