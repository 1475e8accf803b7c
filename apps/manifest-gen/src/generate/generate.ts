import type { Description } from '../description/types.js'
import { cilium } from './cilium.js'
import { identity, mtls } from './identity.js'
import { allowNothing, defaultDeny, disk, namespace, strict } from './namespace.js'
import { network } from './network.js'
import { type KubernetesObject, type ManifestFile, type Part, parts } from './objects.js'
import { requests } from './requests.js'
import { workload } from './workload.js'

const makers: Readonly<Record<Part, (description: Description) => readonly KubernetesObject[]>> = {
  workloads: workload,
  '20-network': network,
  '30-cilium': cilium,
  '40-mtls': mtls,
  '50-identity': identity,
  '60-requests': requests,
}

/** What a namespace has beside its workloads. */
const makersOfNamespace: Readonly<Partial<Record<Part, readonly ((name: string) => KubernetesObject)[]>>> = {
  workloads: [namespace, disk],
  '20-network': [defaultDeny],
  '40-mtls': [strict],
  '50-identity': [allowNothing],
}

/**
 * The whole set for a workload: what runs, and every wall before it and behind it, as files of k8s. Pure: equal
 * descriptions make equal sets.
 */
export function generate(description: Description): readonly ManifestFile[] {
  return parts.flatMap((part) => {
    const ofNamespace = description.newNamespace ? (makersOfNamespace[part] ?? []) : []
    const objects = [...ofNamespace.map((make) => make(description.namespace)), ...makers[part](description)]
    if (objects.length === 0) return []
    const folder = part === 'workloads' ? part : `layers/${part}`
    return [{ part, path: `${folder}/${description.namespace}/${description.name}.yaml`, objects }]
  })
}
