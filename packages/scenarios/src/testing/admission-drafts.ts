import assert from 'node:assert/strict'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { generated, type Plain, withObject } from './admission-layer.js'
import { resources } from './repository.js'

/** What is there, or what istiod makes, by its id. */
export const named = (id: string): Resource =>
  [...resources, ...generated].find((one) => one.id === id) ?? assert.fail(`no ${id}`)

/** As it is written, with a change; what is there is updated. */
export function changed(id: string, change: (draft: Draft) => void): Resource {
  const draft = structuredClone(named(id).object) as Draft
  change(draft)
  return withObject(named(id), draft)
}

export interface Draft extends KubernetesObject {
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  spec: PodDraft & { template: { metadata: { labels: Record<string, string> }; spec: PodDraft } }
}
export interface PodDraft {
  serviceAccountName: string
  securityContext?: Plain
  containers: { image: string; securityContext?: Plain; volumeMounts?: { name: string; readOnly?: boolean }[] }[]
  ephemeralContainers?: unknown[]
  initContainers?: unknown[]
  volumes?: unknown[]
}

export const hardened = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}
export const limits = { limits: { memory: '64Mi' } }
