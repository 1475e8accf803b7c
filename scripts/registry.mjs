// Writes k8s/stacks/registry: every place of k8s/ that names an image of ours, with another registry in it.
//
//   node scripts/registry.mjs europe-docker.pkg.dev/acme/bulkhead [--digests FILE] [--out FOLDER]
//
// Kustomize changes the images of containers by itself. Our images' names are also in what says which images may run, in whose account is for which,
// and in what manifest-gen may write down: inside expressions and lists, where kustomize does not look. FILE has a line for each image that is to be
// pinned by what it holds: `chain-service sha256:...`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { loadManifests } from '../packages/resources/dist/index.js'

const root = resolve(import.meta.dirname, '..')
const own = 'localhost/bulkhead/'
const usage = 'node scripts/registry.mjs REGISTRY [--digests FILE] [--out FOLDER]'

function fail(message) {
  process.stderr.write(`${message}\nUsage: ${usage}\n`)
  process.exit(2)
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { digests: { type: 'string' }, out: { type: 'string', default: join(root, 'k8s/stacks/registry') } },
    })
    return { ...values, registry: positionals.length === 1 ? positionals[0] : undefined }
  } catch (error) {
    return fail(error.message)
  }
}

const { registry, digests: file, out } = options()
if (!/^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9][a-z0-9._-]*)+$/.test(registry ?? ''))
  fail(`${JSON.stringify(registry ?? '')} is no registry with a folder in it, as in registry.example/bulkhead.`)

/** Name without registry to digest. */
function readDigests(path) {
  if (path === undefined) return new Map()
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    fail(`${JSON.stringify(path)} cannot be read (${error.code}).`)
  }
  const lines = text.split('\n').map((line) => line.trim())
  return new Map(
    lines
      .map((line, index) => [line, index])
      .filter(([line]) => line !== '')
      .map(([line, index]) => {
        const [, name, digest] = /^([a-z0-9-]+)\s+(sha256:[0-9a-f]{64})$/.exec(line) ?? []
        if (name === undefined)
          fail(`${path}:${index + 1}: ${JSON.stringify(line)} is no name and digest, as in chain-service sha256:...`)
        return [name, digest]
      }),
  )
}
const digests = readDigests(file)

/** `localhost/bulkhead/x:0.1.0`, and `localhost/bulkhead/x` without a tag, wherever in a text. */
const renamed = (text) =>
  text.replace(/localhost\/bulkhead\/([a-z0-9-]+)(:[a-zA-Z0-9._-]+)?/g, (_, name, tag) => {
    const digest = digests.get(name)
    return `${registry}/${name}${tag === undefined ? '' : digest === undefined ? tag : `@${digest}`}`
  })

/** Strings of an object that name one, with their paths; those of containers are kustomize's own to change. */
function places(value, path = []) {
  if (typeof value === 'string') return value.includes(own) && path.at(-1) !== 'image' ? [{ path, value }] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))
}
const pointer = (path) => path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], { relativeTo: root })

const images = [
  ...JSON.stringify(resources.map(({ object }) => object)).matchAll(/"image":"localhost\/bulkhead\/([a-z0-9-]+):/g),
]
const names = [...new Set(images.map(([, name]) => name))].sort()
for (const name of digests.keys())
  if (!names.includes(name)) fail(`${JSON.stringify(name)} is no image of ours: ${names.join(', ')}.`)

const patches = resources.flatMap(({ kind, name, namespace, object }) => {
  const found = places(object)
  if (found.length === 0) return []
  const target = [`kind: ${kind}`, ...(namespace === undefined ? [] : [`namespace: ${namespace}`]), `name: ${name}`]
  return [
    `  - target: { ${target.join(', ')} }`,
    '    patch: |-',
    ...found.flatMap(({ path, value }) => [
      '      - op: replace',
      `        path: ${pointer(path)}`,
      `        value: ${JSON.stringify(renamed(value))}`,
    ]),
  ]
})

const lines = [
  "# Our images from a registry of one's own, in every place that names one. Made by scripts/registry.mjs: run it again with the registry that is",
  '# yours, and whenever an image or its version changes.',
  'apiVersion: kustomize.config.k8s.io/v1alpha1',
  'kind: Component',
  'images:',
  ...names.flatMap((name) => [
    `  - name: ${own}${name}`,
    `    newName: ${registry}/${name}`,
    ...(digests.has(name) ? [`    digest: ${digests.get(name)}`] : []),
  ]),
  'patches:',
  ...patches,
]
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'kustomization.yaml'), `${lines.join('\n')}\n`)
process.stdout.write(`${join(out, 'kustomization.yaml')}: ${names.length} images from ${registry}\n`)
