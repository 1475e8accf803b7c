import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { type NetworkPolicy, parseManifests, type Resource } from '@bulkhead/resources'

const root = resolve(import.meta.dirname, '../../..')
const layers = readdirSync(join(root, 'k8s/layers')).sort()

/** What a policy's header answers, in this order. */
const questions = ['Question', 'Answer', 'Without it', 'Prove it'] as const

function filesOf(layer: string): readonly string[] {
  const folder = join(root, 'k8s/layers', layer)
  return (
    readdirSync(folder, { recursive: true, withFileTypes: true })
      // What lies beside a policy of 10-admission to try it with is never applied.
      .filter((entry) => entry.isFile() && !['kustomization.yaml', 'good.yaml', 'bad.yaml'].includes(entry.name))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort()
  )
}

function headerOf(text: string): Readonly<Record<string, string>> {
  const lines = text
    .split('\n')
    .flatMap((line) => /^# (Question|Answer|Without it|Prove it) +(.+)$/.exec(line)?.slice(1, 3) ?? [])
  return Object.fromEntries(lines.flatMap((word, index) => (index % 2 === 0 ? [[word, lines[index + 1] ?? '']] : [])))
}

/** A policy that lets a packet out of one pod, and the one that lets it in at the other. */
function isWay(resources: readonly Resource[]): boolean {
  if (resources.some(({ kind }) => kind !== 'NetworkPolicy')) return false
  const directions = resources.map(({ object }) => (object as NetworkPolicy).spec.policyTypes?.join())
  return directions.join(' ') === 'Egress Ingress'
}

describe('the layers of k8s/', () => {
  it('are there', () => assert.ok(layers.length >= 3))

  for (const layer of layers) {
    describe(layer, () => {
      it('is made of all the files in its folder', () => {
        const text = readFileSync(join(root, 'k8s/layers', layer, 'kustomization.yaml'), 'utf8')
        const listed = [...text.matchAll(/^ {2}- (\S+)$/gm)].map(([, file]) => file)
        assert.deepEqual([...listed].sort(), filesOf(layer))
      })

      for (const file of filesOf(layer)) {
        it(`${file} is one intent, whose header and annotation say so`, () => {
          const text = readFileSync(join(root, 'k8s/layers', layer, file), 'utf8')
          const { resources, diagnostics } = parseManifests(text, file)
          assert.deepEqual(diagnostics, [])
          assert.ok(resources.length === 1 || isWay(resources), 'one object a file, or both ends of a way')

          const header = headerOf(text)
          assert.deepEqual(Object.keys(header), questions)
          for (const { kind, object } of resources) {
            assert.notEqual(kind, 'Namespace', 'a layer that is taken out must not take a namespace along')
            assert.equal(object.metadata.annotations?.['bulkhead.dev/question'], header.Question)
          }
          const { name } = resources[0] ?? {}
          const named = file.endsWith(`${name}.yaml`) || file === `${name}/policy.yaml` || !file.includes('/')
          assert.ok(named, 'named by its intent')
          assert.match(header['Prove it'] ?? '', /^(npx bulkhead|curl|kubectl) /)
        })
      }
    })
  }
})
