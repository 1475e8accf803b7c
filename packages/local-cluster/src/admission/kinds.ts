import type { Resource } from '@bulkhead/resources'

/*
 * What the gate has to know of kinds: the rest is the engine's.
 */

const groupOf = ({ object }: Resource): string => {
  const { apiVersion } = object
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
}

const policyGroups: ReadonlySet<string> = new Set(['policies.kyverno.io', 'kyverno.io', 'admissionregistration.k8s.io'])

/** Decides on others: it is created before what it decides on. */
export const isPolicy = (resource: Resource): boolean => policyGroups.has(groupOf(resource))

const podKinds: ReadonlyMap<string, string> = new Map([
  ['Deployment', 'apps'],
  ['StatefulSet', 'apps'],
  ['DaemonSet', 'apps'],
  ['ReplicaSet', 'apps'],
  ['Job', 'batch'],
  ['CronJob', 'batch'],
  ['Pod', ''],
])

/** A pod, or what a controller makes pods of: it is created after what policies look up for it. */
export const hasPods = (resource: Resource): boolean => podKinds.get(resource.kind) === groupOf(resource)

interface Scaled {
  readonly spec?: { readonly replicas?: number; readonly template?: unknown }
}

/** How many pods its controller wants. A DaemonSet has as many as there are nodes, so it is never none. */
export function replicasOf({ object }: Pick<Resource, 'object'>): number {
  const { replicas = 1 } = (object as Scaled).spec ?? {}
  return replicas
}

export const templateOf = ({ object }: Pick<Resource, 'object'>): unknown => (object as Scaled).spec?.template
