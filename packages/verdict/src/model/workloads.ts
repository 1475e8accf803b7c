import type { Pod as PodObject, PodTemplate, Resource, Workload } from '@bulkhead/resources'
import { CompileError } from './compile-error.js'
import { canonicalJson, nameHash } from './hash.js'
import { namespaceOf, ofKind, rawField } from './kinds.js'
import { toleratesControlPlane } from './tolerations.js'

/** More than this of one workload is a slip of the keyboard, not a lab. */
const maxReplicas = 5000

/** A pod that a workload asks for, before it has a place and an address. */
export interface WantedPod {
  readonly resource: Resource
  readonly namespace: string
  readonly name: string
  /** Name of the workload, or of the pod itself. */
  readonly workload: string
  readonly template: PodTemplate
  /** Labels that the controller adds. */
  readonly added: Readonly<Record<string, string>>
  /** A DaemonSet's pod belongs to its node; a bare one may name its own. */
  readonly node?: string
}

/** The names of the nodes. */
export interface Places {
  readonly workers: readonly string[]
  /** Tainted: what does not tolerate that is not placed there. */
  readonly controlPlane: string
}

/** Every pod that the objects ask for, workload by workload in the order of the objects. */
export function wantedPods(resources: readonly Resource[], nodes: Places): WantedPod[][] {
  const order = new Map(resources.map((resource, index) => [resource, index]))
  const workloads = [
    ...ofKind<Workload>(resources, 'apps', 'Deployment'),
    ...ofKind<Workload>(resources, 'apps', 'StatefulSet'),
    ...ofKind<Workload>(resources, 'apps', 'DaemonSet'),
  ].map((resource) => ({ resource, pods: podsOf(resource, nodes) }))
  const bare = ofKind<PodObject>(resources, '', 'Pod').map((resource) => ({ resource, pods: [barePod(resource)] }))
  return [...workloads, ...bare]
    .sort((a, b) => (order.get(a.resource) ?? 0) - (order.get(b.resource) ?? 0))
    .map(({ pods }) => pods)
}

function podsOf(resource: Resource<Workload>, { workers, controlPlane }: Places): WantedPod[] {
  const { object, name } = resource
  const namespace = namespaceOf(resource)
  const template = object.spec.template
  const common = { resource, namespace, workload: name, template }
  const id = `${namespace}/${name}`
  switch (object.kind) {
    case 'Deployment': {
      // The ReplicaSet's hash is one of the template: a changed template makes new pods, as on a cluster.
      const templateHash = hashOf(template)
      const taken = new Set<string>()
      return times(replicas(resource), (index) => ({
        ...common,
        name: `${name}-${templateHash}-${freeSuffix(`${id}/${templateHash}/${index}`, taken)}`,
        added: { 'pod-template-hash': templateHash },
      }))
    }
    case 'StatefulSet':
      return times(replicas(resource), (index) => ({
        ...common,
        name: `${name}-${index}`,
        added: {
          'statefulset.kubernetes.io/pod-name': `${name}-${index}`,
          'apps.kubernetes.io/pod-index': String(index),
        },
      }))
    case 'DaemonSet': {
      // The workers first: where the taint is tolerated or not moves no pod of theirs.
      const nodes = toleratesControlPlane(template.spec) ? [...new Set([...workers, controlPlane])] : workers
      return nodes.map((node) => ({ ...common, name: `${name}-${nameHash(`${id}/${node}`, 5)}`, added: {}, node }))
    }
  }
}

/** A template is compiled again with every change of a policy, and is a large part of what is compiled. */
const hashes = new WeakMap<PodTemplate, string>()

function hashOf(template: PodTemplate): string {
  const known = hashes.get(template)
  if (known !== undefined) return known
  const hash = nameHash(canonicalJson(template), 10)
  hashes.set(template, hash)
  return hash
}

/** Five letters collide in a large Deployment; the later pod is named again, as on a cluster. */
function freeSuffix(text: string, taken: Set<string>): string {
  let suffix = nameHash(text, 5)
  for (let again = 1; taken.has(suffix); again++) suffix = nameHash(`${text}/${again}`, 5)
  taken.add(suffix)
  return suffix
}

function replicas(resource: Resource<Workload>): number {
  const wanted = resource.object.spec.replicas ?? 1
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > maxReplicas) {
    throw new CompileError(
      resource,
      ['spec', 'replicas'],
      `replicas is ${JSON.stringify(wanted)}; it must be a whole number from 0 to ${maxReplicas}`,
    )
  }
  return wanted
}

/** A pod that is written, or running, as it is. */
export function barePod(resource: Resource<PodObject>): WantedPod {
  const { metadata, spec } = resource.object
  // Who names a node goes past the scheduler, and past the taints that only it looks at (NoSchedule).
  const node = rawField(spec, 'nodeName')
  return {
    resource,
    namespace: namespaceOf(resource),
    name: resource.name,
    workload: resource.name,
    ...(typeof node === 'string' && { node }),
    template: {
      metadata: {
        ...(metadata.labels && { labels: metadata.labels }),
        ...(metadata.annotations && { annotations: metadata.annotations }),
      },
      spec,
    },
    added: {},
  }
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
