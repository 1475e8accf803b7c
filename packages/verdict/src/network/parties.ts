import type { Snapshot } from '../api.js'
import { parseAddress } from '../model/addresses.js'
import type { NodeModel, Pod } from '../types.js'
import { type Labels, reservedLabels, type SourcedLabels } from './labels.js'
import type { Party } from './types.js'

/** In the mesh, or a proxy of it. */
export const speaksHbone = ({ mesh, gateway, waypoint }: Pod): boolean =>
  mesh || gateway !== undefined || waypoint !== undefined

/** A pod as the other end of a packet, for all pods of its class. */
export function podParty(pod: Pod, labels: SourcedLabels, namespaceLabels: Labels): Party {
  return {
    kind: 'pod',
    name: pod.workload,
    apiServer: false,
    mesh: speaksHbone(pod),
    address: parseAddress(pod.ip),
    labels,
    pod: { namespace: pod.namespace, labels: pod.labels, namespaceLabels },
    ports: pod.ports,
  }
}

export const knownNodeLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'node-role.kubernetes.io/control-plane',
])

/** The labels by which a policy of the whole cluster selects a node: those that every node has. */
export function nodeLabels(node: string): SourcedLabels {
  return new Map([
    ['reserved:host', ''],
    ['k8s:kubernetes.io/hostname', node],
    ['k8s:kubernetes.io/os', 'linux'],
    ...(node.endsWith('control-plane') ? [['k8s:node-role.kubernetes.io/control-plane', ''] as const] : []),
  ])
}

/** A node and what is on its network: `own` is the node of the pod that is asked about. */
export function nodeParty(name: string, { name: node, ip }: NodeModel, own: boolean, snapshot: Snapshot): Party {
  const apiServer = node === snapshot.platform.controlPlane.name
  const kind = own ? 'host' : 'remote-node'
  return {
    kind,
    name,
    apiServer,
    mesh: false,
    address: parseAddress(ip),
    labels: reservedLabels(apiServer ? [kind, 'kube-apiserver'] : [kind]),
    ports: [],
  }
}

export function worldParty(ip: string): Party {
  const address = parseAddress(ip)
  const family = address?.kind() === 'ipv6' ? 'world-ipv6' : 'world-ipv4'
  return {
    kind: 'world',
    name: ip,
    apiServer: false,
    mesh: false,
    address,
    labels: reservedLabels(['world', family]),
    ports: [],
  }
}
