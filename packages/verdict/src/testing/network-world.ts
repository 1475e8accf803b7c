import type { KubernetesObject, Resource } from '@bulkhead/resources'
import type { NetworkOptions, Snapshot } from '../api.js'
import { compile } from '../model/compile.js'
import { internalsOf } from '../model/internals.js'
import type { Pod } from '../types.js'
import type { NaiveNetworkPod, NaiveWorld } from './naive-network.js'
import { get, type Plain } from './naive-patterns.js'
import * as make from './objects.js'

/*
 * Test code: the small world of the network layers' random tests. Two namespaces that are declared and one that is not;
 * pods that share labels, names of ports and a number under two protocols; one on the host's network; what every cluster
 * has; and IPv4 and IPv6 outside.
 */

const web = [
  { name: 'http', containerPort: 8080 },
  { name: 'metrics', containerPort: 8080, protocol: 'UDP' },
]

export const worldObjects: readonly Resource[] = [
  make.namespace('a', { team: 'red', 'istio.io/dataplane-mode': 'ambient' }),
  make.namespace('b', { team: 'blue' }),
  make.workload('a/web', { labels: { app: 'web', role: 'front' }, ports: web }),
  make.workload('a/db', { labels: { app: 'db' }, ports: [{ name: 'http', containerPort: 5432 }] }),
  make.workload('a/job', { labels: { app: 'job', role: 'front', 'istio.io/dataplane-mode': 'none' } }),
  make.workload('b/web', { labels: { app: 'web' }, ports: web }),
  make.workload('b/agent', { labels: { app: 'web', role: 'front' }, hostNetwork: true }),
  make.workload('c/web', { labels: { app: 'web' }, ports: web, serviceAccount: 'db' }),
  make.service('a/web', { port: 80, targetPort: 'http' }),
  make.service('a/db', { port: 5432 }),
]

/** Of its pods, by `namespace/name` of their workload; the addresses are those of every compile of the world. */
const plain = compile(worldObjects)
export const worldPods: ReadonlyMap<string, Pod> = new Map(
  [...plain.pods.values(), plain.platform.dns].map((pod) => [pod.workload, pod]),
)
export const worldNodes = [...plain.nodes, plain.platform.controlPlane]

export function podOf(workload: string): Pod {
  const pod = worldPods.get(workload)
  if (pod === undefined) throw new RangeError(`the world has no ${workload}`)
  return pod
}

/** The same world with one more label on everything. */
export function relabelled(policies: readonly Resource[], network: NetworkOptions = {}): Snapshot {
  const labelled = (object: unknown): unknown => {
    if (typeof object !== 'object' || object === null || Array.isArray(object)) return object
    const fields = Object.entries(object).map(([key, value]) => [
      key,
      key === 'labels' ? { ...value, unmentioned: 'yes' } : labelled(value),
    ])
    return Object.fromEntries(fields)
  }
  const world = worldObjects.map(({ object }) => make.resource(labelled(object) as KubernetesObject))
  return compile([...world, ...policies], { network })
}

export function snapshotOf(policies: readonly Resource[], network: NetworkOptions = {}): Snapshot {
  return compile([...worldObjects, ...policies], { network })
}

/** The same world for the naive evaluator, as far as it is not policies. */
export function naiveWorld(policies: readonly Resource[], network: NetworkOptions = {}): NaiveWorld {
  return naiveOf(plain, policies, network)
}

/** Any snapshot's pods, nodes, namespaces and Services, for the naive evaluator. */
export function naiveOf(snapshot: Snapshot, policies: readonly Resource[], network: NetworkOptions = {}): NaiveWorld {
  const { pods, platform, nodes } = snapshot
  return {
    policies: policies.map(({ object }) => ({ ...object })),
    namespaces: Object.fromEntries(internalsOf(snapshot).namespaceLabels),
    pods: [...pods.values(), platform.dns, platform.istiod].map(naivePod),
    nodes: [
      ...nodes.map(({ name, ip }) => ({ name, ip, apiServer: false })),
      { ...platform.controlPlane, apiServer: true },
    ],
    services: snapshot.resources
      .filter(({ kind }) => kind === 'Service')
      .map(({ object, name, namespace = '' }) => ({
        namespace,
        name,
        selector: get(object, 'spec', 'selector') as Plain,
      })),
    reader: network.reader ?? 'cilium',
    mode: network.enforcement ?? 'default',
  }
}

export function naivePod({ namespace, labels, serviceAccount, ip, node, hostNetwork, ports }: Pod): NaiveNetworkPod {
  return { namespace, labels, serviceAccount, ip, node, hostNetwork, ports }
}
