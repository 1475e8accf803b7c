import type { Pod as PodObject, Resource } from '@bulkhead/resources'
import type { NodeModel, RunningPod } from '@bulkhead/verdict'
import { platformNamespaces, platformPods } from './kinds.js'
import { listAt, textAt, valueAt } from './plain.js'
import type { LiveObject } from './raw.js'

/** The nodes with their addresses, the control plane's last: the engine takes the first for a worker. */
export function nodesOf(objects: readonly LiveObject[]): readonly NodeModel[] {
  const nodes = objects.filter(({ kind }) => kind === 'Node')
  const isControlPlane = ({ metadata }: LiveObject) =>
    Object.hasOwn(metadata.labels ?? {}, 'node-role.kubernetes.io/control-plane') ? 1 : 0
  return nodes
    .toSorted((one, other) => isControlPlane(one) - isControlPlane(other))
    .map((node) => ({ name: node.metadata.name, ip: internalAddress(node) ?? '' }))
    .filter(({ ip }) => ip !== '')
}

function internalAddress(node: LiveObject): string | undefined {
  const found = listAt(node, 'status', 'addresses').find((one) => valueAt(one, 'type') === 'InternalIP')
  return textAt(found, 'address')
}

/** Pods that flows may come from or go to: those of the platform that are asked by everybody, and all that is nobody's platform. */
export function isModelled({ metadata }: LiveObject): boolean {
  if (!platformNamespaces.has(metadata.namespace ?? '')) return true
  return platformPods.some(
    ({ namespace, label, value }) => metadata.namespace === namespace && metadata.labels?.[label] === value,
  )
}

/** One that has a place and an address, and is not on its way out. */
export function isRunning(pod: LiveObject): boolean {
  const phase = textAt(pod, 'status', 'phase')
  return (
    pod.metadata.deletionTimestamp === undefined &&
    phase !== 'Succeeded' &&
    phase !== 'Failed' &&
    textAt(pod, 'status', 'podIP') !== undefined &&
    textAt(pod, 'spec', 'nodeName') !== undefined
  )
}

export const controllerOf = ({ metadata }: LiveObject) =>
  (metadata.ownerReferences ?? []).find(({ controller }) => controller === true)

/** Name of the Deployment (or other owner) that a pod is of: a ReplicaSet is named after its Deployment and the template's hash. */
export function workloadOf(pod: LiveObject): string {
  const owner = controllerOf(pod)
  if (owner === undefined) return pod.metadata.name
  const hash = pod.metadata.labels?.['pod-template-hash']
  const suffix = `-${hash}`
  return owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(suffix)
    ? owner.name.slice(0, -suffix.length)
    : owner.name
}

export function runningPod(pod: LiveObject, resource: Resource<PodObject>): RunningPod {
  return {
    resource,
    workload: workloadOf(pod),
    node: textAt(pod, 'spec', 'nodeName') ?? '',
    ip: textAt(pod, 'status', 'podIP') ?? '',
  }
}
