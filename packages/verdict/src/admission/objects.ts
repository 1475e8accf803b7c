import type { KubernetesObject, Resource, Workload } from '@bulkhead/resources'
import { wantedPods } from '../model/workloads.js'
import { textsOf } from './psa/pod.js'
import { isPod, resourceOf } from './targets.js'
import type { Review } from './types.js'

/** What policies may look up: the objects of a set, by what they are called in requests. */
export interface ObjectIndex extends Pick<Review, 'get' | 'list'> {
  readonly namespaces: ReadonlyMap<string, Resource>
  /** The namespace as policies see it; the same data each time. Undefined where the set has none. */
  namespace(name: string): NamespaceView
  /** Pods that are written, and those that Deployments, StatefulSets and DaemonSets come to, by name. */
  podsIn(namespace: string): readonly { readonly name: string; readonly pod: Readonly<Record<string, unknown>> }[]
}

type Fields = Readonly<Record<string, unknown>>

export interface NamespaceView {
  readonly object: Fields | null
  /** With `kubernetes.io/metadata.name`, which the API server adds. */
  readonly labels: Readonly<Record<string, string>>
}

/** A namespace's labels; of one that nobody has written, its name alone. */
export function viewNamespace(name: string, object: KubernetesObject | undefined): NamespaceView {
  const labels = { ...textsOf(object?.metadata.labels), 'kubernetes.io/metadata.name': name }
  return { object: object === undefined ? null : { ...object }, labels }
}

/** Built when it is first asked: most sets are admitted without a look-up. */
export function indexObjects(resources: readonly Resource[]): ObjectIndex {
  let built: Map<string, Map<string, Fields>> | undefined
  const all = (): Map<string, Map<string, Fields>> => {
    built ??= build(resources)
    return built
  }
  const namespaces = new Map(
    resources
      .filter(({ kind, object }) => kind === 'Namespace' && object.apiVersion === 'v1')
      .map((resource) => [resource.name, resource]),
  )
  const views = new Map<string, NamespaceView>()
  return {
    namespaces,
    namespace: (name) => {
      const found = views.get(name) ?? viewNamespace(name, namespaces.get(name)?.object)
      // Names that nobody has written are without end.
      if (namespaces.has(name)) views.set(name, found)
      return found
    },
    get: (apiVersion, resource, namespace, name) =>
      all()
        .get(keyOf(apiVersion, resource, namespace))
        ?.get(name),
    list: (apiVersion, resource, namespace) => [
      ...(all()
        .get(keyOf(apiVersion, resource, namespace))
        ?.values() ?? []),
    ],
    podsIn: (namespace) => podsIn(resources, namespace),
  }
}

const keyOf = (apiVersion: string, resource: string, namespace: string): string =>
  `${apiVersion} ${resource} ${namespace}`

function build(resources: readonly Resource[]): Map<string, Map<string, Fields>> {
  const index = new Map<string, Map<string, Fields>>()
  for (const { object, kind, namespace = '', name } of resources) {
    const key = keyOf(object.apiVersion, resourceOf(kind), namespace)
    const same = index.get(key) ?? new Map<string, Fields>()
    index.set(key, same.set(name, { ...object }))
  }
  return index
}

/** Names are those that `compile` gives on a cluster's usual two nodes. */
const usualNodes = { workers: ['bulkhead-worker', 'bulkhead-worker2'], controlPlane: 'bulkhead-control-plane' }

function podsIn(resources: readonly Resource[], namespace: string): { name: string; pod: Fields }[] {
  const own = resources.filter((resource) => (resource.namespace ?? 'default') === namespace)
  const bare = own.filter(({ object }) => isPod(object)).map(({ name, object }) => ({ name, pod: { ...object } }))
  const made = wantedPods(
    own.filter(({ object }) => !isPod(object)),
    usualNodes,
  )
  return [...bare, ...made.flat().map(({ name, template }) => ({ name, pod: { ...template } }))]
}

/** The name of the first pod that a workload's controller makes, and the labels that it adds. */
export function firstPodOf(workload: Resource<Workload>): {
  readonly name: string
  readonly added: Readonly<Record<string, string>>
} {
  const { object } = workload
  // How many there are to be says nothing of what the first one is called.
  const one = { ...workload, object: { ...object, spec: { ...object.spec, replicas: 1 } } }
  const [pod] = wantedPods([one], usualNodes).flat()
  return { name: pod?.name ?? object.metadata.name, added: pod?.added ?? {} }
}
