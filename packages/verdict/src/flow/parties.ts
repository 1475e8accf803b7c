import type { Snapshot } from '../api.js'
import { parseAddress } from '../model/addresses.js'
import { hasSidecar, isCaptured } from '../model/capture.js'
import { claimed } from '../model/claims.js'
import { internalsOf } from '../model/internals.js'
import { type NotModelled, sidecarSays } from '../model/not-modelled.js'
import { identityOf } from '../model/pods.js'
import type { DescribedPod, FlowDestination, FlowSource, NodeModel, Pod, ServiceModel } from '../types.js'
import { FlowError, nearNames, quote } from './errors.js'
import { allNodes, lookUp, lookUpAddress, type Target } from './look-up.js'

/** What is not modelled, and the object that brings it where there is one. */
export type Unread = Pick<NotModelled, 'what'> & Partial<Pick<NotModelled, 'id' | 'at'>>

/** Who calls. */
export type Caller =
  | { readonly kind: 'pod'; readonly pod: Pod; readonly name: string }
  | { readonly kind: 'node'; readonly node: NodeModel; readonly ip: string; readonly name: string }
  | { readonly kind: 'outside'; readonly ip: string; readonly name: string }
  | { readonly kind: 'not-modelled'; readonly ip: string; readonly name: string; readonly found: Unread }

/** Whom: what the flow's destination leads to, and how people call it. */
export interface Called {
  readonly target: Target | { readonly kind: 'not-modelled'; readonly found: Unread }
  readonly name: string
  /** The name that kube-dns is asked for first: one that is no Service's. */
  readonly question?: string
  /** A pod that the flow only describes and says no ports of: it listens on whatever is asked for. */
  readonly listensOnAll?: boolean
}

/** Addresses of pods that exist only in a flow, out of a block that no node has. */
const describedSourceIp = '10.244.255.1'
const describedDestinationIp = '10.244.255.2'

export function resolveSource(from: FlowSource, snapshot: Snapshot): Caller {
  if ('workload' in from) {
    const found = unreadWorkload(from.workload, snapshot)
    if (found !== undefined) return { kind: 'not-modelled', found, ip: from.workload, name: from.workload }
    const [pod] = podsOf(from.workload, from.node, snapshot)
    return { kind: 'pod', pod, name: from.workload }
  }
  if ('external' in from) return { kind: 'outside', ip: from.external, name: from.external }
  if ('labels' in from) {
    const pod = describePod(from, describedSourceIp, snapshot)
    if (runsSidecar(from, snapshot)) return { kind: 'not-modelled', found: sidecar, ip: pod.ip, name: pod.key }
    return { kind: 'pod', pod, name: pod.key }
  }
  const node = nodeOf(from.node, snapshot)
  return { kind: 'node', node, ip: node.ip, name: `node ${node.name}` }
}

export function resolveDestination(to: FlowDestination, caller: Caller, snapshot: Snapshot): Called {
  const from = caller.kind === 'pod' ? caller.pod : undefined
  if ('service' in to) {
    const service = serviceOf(to.service, snapshot)
    const found = service === undefined ? unreadWorkload(to.service, snapshot) : undefined
    if (found !== undefined) return { target: { kind: 'not-modelled', found }, name: to.service }
    if (service === undefined) {
      throw new FlowError(
        'flow.unknown-service',
        `there is no Service ${quote(to.service)}${mayBeGateway(to.service)}`,
        nearNames(to.service, [...snapshot.services.keys(), ...internalsOf(snapshot).platform.services.keys()]),
      )
    }
    return { target: { kind: 'service', service }, name: to.service }
  }
  if ('workload' in to) {
    const found = unreadWorkload(to.workload, snapshot)
    if (found !== undefined) return { target: { kind: 'not-modelled', found }, name: to.workload }
    const pods = podsOf(to.workload, undefined, snapshot)
    // A node knows its own pods, and a pod that calls its workload means another one of it.
    const pod = pods.find((one) => (caller.kind === 'node' ? one.node === caller.node.name : one !== from)) ?? pods[0]
    return { target: pod === from ? { kind: 'loopback' } : { kind: 'pod', pod }, name: to.workload }
  }
  if ('labels' in to) {
    const pod = describePod(to, describedDestinationIp, snapshot)
    if (runsSidecar(to, snapshot)) return { target: { kind: 'not-modelled', found: sidecar }, name: pod.key }
    return { target: { kind: 'pod', pod }, name: pod.key, listensOnAll: to.ports === undefined }
  }
  if ('host' in to) return resolveHost(to, from, snapshot)
  if ('ip' in to) return { target: unlessClaimed(lookUp(to.ip, from, snapshot), from, snapshot), name: to.ip }
  const node: NodeModel = nodeOf(to.node, snapshot)
  return { target: { kind: 'node', node }, name: `node ${node.name}` }
}

/** A name that is none of the cluster's is asked of kube-dns, whoever knows the answer then. */
function resolveHost(
  { host, ip }: Extract<FlowDestination, { readonly host: string }>,
  from: Pod | undefined,
  snapshot: Snapshot,
): Called {
  const found = lookUp(host, from, snapshot)
  const named = parseAddress(host) === undefined
  const asked = named && (found.kind === 'outside' || found.kind === 'nowhere') ? found.host : undefined
  const claimant = unlessClaimed(found, from, snapshot)
  if (asked === undefined || claimant.kind === 'not-modelled') return { target: claimant, name: host }
  // The name may have the address of something in the cluster: whoever owns the name chooses.
  const there = ip === undefined || found.kind !== 'outside' ? found : lookUpAddress(ip, from, snapshot)
  const target = there.kind === 'outside' ? { ...there, host: asked } : there
  return { target: unlessClaimed(target, from, snapshot), name: host, question: asked }
}

/** A Service of the manifests, or one that every cluster has. */
function serviceOf(key: string, snapshot: Snapshot): ServiceModel | undefined {
  return snapshot.services.get(key) ?? internalsOf(snapshot).platform.services.get(key)
}

/** What istiod would make of a Gateway that is not there, or whose layer is off. */
function mayBeGateway(key: string): string {
  const gateway = key.endsWith('-istio') ? key.slice(0, -'-istio'.length) : undefined
  return gateway === undefined ? '' : ` (it would be that of a Gateway ${quote(gateway)}, and there is none)`
}

/** A workload that some object runs and that we do not model: a Job's, or a gateway's (`<name>` or `<name>-istio`). */
function unreadWorkload(key: string, snapshot: Snapshot): NotModelled | undefined {
  return internalsOf(snapshot).notModelled.find(({ id, effect }) => {
    const name = id.slice(id.indexOf('/') + 1)
    return (
      (effect === 'sidecar' && name === key) ||
      (effect === 'pods' && name === key && !internalsOf(snapshot).podsOf.has(key)) ||
      (id.startsWith('Gateway/') && (name === key || (effect === 'proxy' && `${name}-istio` === key)))
    )
  })
}

/** What is outside the cluster may be spoken for by an object that we do not read. */
function unlessClaimed(target: Target, from: Pod | undefined, snapshot: Snapshot): Called['target'] {
  if (target.kind !== 'outside' && target.kind !== 'nowhere') return target
  const { host } = target
  const ip = target.kind === 'outside' ? target.ip : host
  const called = { host, ...(ip !== undefined && { ip }) }
  const found = internalsOf(snapshot).notModelled.find(
    ({ claims }) => claims !== undefined && claimed(claims, called, from?.mesh === true),
  )
  return found === undefined ? target : { kind: 'not-modelled', found }
}

/** The pods of a workload (on that node), or the pod of that name; at least one. */
function podsOf(key: string, node: string | undefined, snapshot: Snapshot): readonly [Pod, ...Pod[]] {
  if (node !== undefined) nodeOf(node, snapshot)
  const own = snapshot.pods.get(key) ?? internalsOf(snapshot).platform.pods.get(key)
  const pods = own !== undefined ? [own] : (internalsOf(snapshot).podsOf.get(key) ?? [])
  const [pod, ...more] = node === undefined ? pods : pods.filter((candidate) => candidate.node === node)
  if (pod !== undefined) return [pod, ...more]
  if (pods.length > 0) {
    const nodes = [...new Set(pods.map((candidate) => candidate.node))]
    throw new FlowError('flow.no-pods', `${quote(key)} runs no pod on node ${quote(node)}`, nodes)
  }
  const exists = snapshot.resources.some(
    ({ kind, name, namespace }) =>
      ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind) && `${namespace ?? 'default'}/${name}` === key,
  )
  if (exists) throw new FlowError('flow.no-pods', `${quote(key)} runs no pods: its replicas are 0`)
  const everyPod = [...snapshot.pods.values(), ...internalsOf(snapshot).platform.pods.values()]
  const names = everyPod.map((candidate) => candidate.workload)
  throw new FlowError(
    'flow.unknown-workload',
    `there is no workload ${quote(key)}${mayBeGateway(key)}`,
    nearNames(key, names),
  )
}

function nodeOf(name: string, snapshot: Snapshot): NodeModel {
  const nodes = allNodes(snapshot)
  const node = nodes.find((candidate) => candidate.name === name)
  if (node !== undefined) return node
  const names = nodes.map((candidate) => candidate.name)
  const near = nearNames(name, names)
  throw new FlowError('flow.unknown-node', `there is no node ${quote(name)}`, near.length > 0 ? near : names)
}

/** Either end's way to describe a pod. */
type PodDescription = Extract<FlowSource, DescribedPod> & Extract<FlowDestination, DescribedPod>

const sidecar: Unread = { what: sidecarSays }

function runsSidecar(description: PodDescription, snapshot: Snapshot): boolean {
  const { namespace, labels, mesh, hostNetwork = false } = description
  if (mesh !== undefined) return false
  const namespaceLabels = internalsOf(snapshot).namespaceLabels.get(namespace) ?? {}
  return hasSidecar({ namespace, namespaceLabels, labels, hostNetwork })
}

/** A node as a destination or source of packets: what is on its network and is no pod of its own. */
export function hostOf({ name, ip }: NodeModel): Pod {
  const key = `node ${name}`
  const nobody = { namespace: '', labels: {}, serviceAccount: '', identity: '', mesh: false, ports: [] }
  return { ...nobody, key, name: key, workload: key, hostNetwork: true, node: name, ip }
}

/** A pod that is not in the manifests: `what if somebody ran this here?` Captured as istio-cni would, unless it says. */
export function describePod(description: PodDescription, ip: string, snapshot: Snapshot): Pod {
  const { trustDomain, namespaceLabels } = internalsOf(snapshot)
  const { namespace, labels, serviceAccount = 'default', hostNetwork = false } = description
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  const key = `${namespace}/(${words.join(',')})`
  const captured = isCaptured({ namespace, namespaceLabels: namespaceLabels.get(namespace) ?? {}, labels, hostNetwork })
  return {
    key,
    namespace,
    name: `(${words.join(',')})`,
    workload: key,
    labels,
    serviceAccount,
    identity: identityOf(trustDomain, namespace, serviceAccount),
    mesh: hostNetwork ? false : (description.mesh ?? captured),
    hostNetwork,
    node: snapshot.nodes[0]?.name ?? '',
    ip: description.ip ?? (hostNetwork ? (snapshot.nodes[0]?.ip ?? ip) : ip),
    ports: (description.ports ?? []).map((port) => ({ ...port, protocol: port.protocol ?? 'TCP' })),
  }
}
