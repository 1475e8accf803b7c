import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { parseYaml } from '@bulkhead/resources/yaml'
import { root } from './testing.js'
import { readFacts } from './workloads.js'

const file = join(root, 'k8s/platform/accounts/kustomization.yaml')
const kustomization = parseYaml(readFileSync(file, 'utf8')).documents[0]?.value as {
  readonly patches: readonly { readonly target: { readonly kind: string }; readonly patch: string }[]
}
const { patches } = kustomization

test('what comes before the walls is namespaces, limits and accounts, and nothing that runs', async () => {
  const { resources } = await loadManifests([join(root, 'k8s/workloads')], { relativeTo: root })
  assert.equal(patches.length, 1)
  assert.match(patches[0]?.patch ?? '', /^\$patch: delete$/m)
  const left = new Set((patches[0]?.target.kind ?? '').split('|'))
  const kinds = [...new Set(resources.map(({ kind }) => kind))]
  assert.deepEqual(kinds.filter((kind) => !left.has(kind)).sort(), ['LimitRange', 'Namespace', 'ServiceAccount'])
})

test('every namespace of the workloads is in it, and in the plan', async () => {
  const folders = readdirSync(join(root, 'k8s/workloads'))
  const { namespaces } = await readFacts(root)
  assert.deepEqual([...namespaces].sort(), folders.sort())
})
