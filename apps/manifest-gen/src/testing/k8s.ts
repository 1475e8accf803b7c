import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { checkDuplicates, checkReferences, loadManifests, parseManifests, type Resource } from '@bulkhead/resources'
import { readDescription } from '../description/read.js'
import type { Description } from '../description/types.js'
import { generate } from '../generate/generate.js'
import { writeFiles } from '../yaml/write.js'

const root = resolve(import.meta.dirname, '../../../..')
/** The layers that say which connections there may be; what may be created at all is asked elsewhere. */
export const connecting = ['20-network', '30-cilium', '40-mtls', '50-identity', '60-requests', '70-ingress'] as const

/** This repository's manifests: workloads and layers. */
export const { resources: k8s } = await loadManifests(
  ['workloads', ...connecting.map((layer) => `layers/${layer}`)].map((folder) => join(root, 'k8s', folder)),
  { relativeTo: root },
)
/** And what says which objects there may be. */
export const { resources: admitting } = await loadManifests([join(root, 'k8s/layers/10-admission')], {
  relativeTo: root,
})
const sound = new Set(checkReferences(k8s).map(({ message }) => message))

export interface Made {
  readonly description: Description
  readonly resources: readonly Resource[]
}

/** What is made of a description, written as YAML, read back, and held against the schemas and against k8s. */
export function made(raw: unknown): Made {
  const description = readDescription(raw, () => true)
  const resources = generate(description).flatMap((file) => {
    const read = parseManifests(writeFiles([file]), file.path, file.part === 'workloads' ? {} : { layer: file.part })
    assert.deepEqual(read.diagnostics, [], 'no mistake, and nothing that is likely one')
    return read.resources
  })
  const all = [...k8s, ...resources]
  assert.deepEqual(checkDuplicates(all), [])
  assert.deepEqual(
    checkReferences(all).filter(({ message }) => !sound.has(message)),
    [],
  )
  return { description, resources }
}
