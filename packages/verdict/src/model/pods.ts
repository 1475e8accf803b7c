import type { PodSpec, Resource } from '@bulkhead/resources'
import type { RunningPod, Snapshot } from '../api.js'
import type { NodeModel, Pod } from '../types.js'
import { isCaptured } from './capture.js'
import { CompileError } from './compile-error.js'
import type { Generated } from './gateways/generate.js'
import { namespaceOf, rawField } from './kinds.js'
import { controlPlaneNode, platformAddresses } from './platform-addresses.js'
import { barePod, type WantedPod, wantedPods } from './workloads.js'

export interface PodsOptions {
  readonly nodes: readonly NodeModel[]
  readonly trustDomain: string
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
  readonly previous: Snapshot | undefined
  /** Of the previous snapshot, kept as they are. */
  readonly lingering: readonly Pod[]
  /** Workloads (`namespace/name`) that have no pods, whatever they ask for. */
  readonly podless?: ReadonlySet<string> | undefined
  /** What istiod made of Gateways, by `namespace/name` of the Deployment. */
  readonly gateways: ReadonlyMap<string, Generated>
  readonly running?: readonly RunningPod[] | undefined
}

export function identityOf(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`
}

/**
 * The pods of the objects, each with its place and address. Workloads of one namespace alternate between the nodes in
 * the order of the objects, so that callers and the called seldom share one; what was in the previous snapshot stays.
 */
export function buildPods(resources: readonly Resource[], options: PodsOptions): Map<string, Pod> {
  const { nodes, previous, lingering, running } = options
  if (running !== undefined) return new Map(running.map((one) => runningPod(one, options)).map((pod) => [pod.key, pod]))
  const others = nodes.filter(({ name }) => name !== controlPlaneNode.name)
  // Where there is no other node the control plane's has no taint.
  const workers = others.length > 0 ? others : nodes
  const controlPlane = nodes.find(({ name }) => name === controlPlaneNode.name) ?? controlPlaneNode
  const places = [...workers, controlPlane]
  const workloads = wantedPods(resources, { workers: workers.map(({ name }) => name), controlPlane: controlPlane.name })
  const kept = new Map<string, { node: string; ip: string }>()
  const taken = new Set<string>()
  for (const pod of workloads.flat()) {
    const before = previous?.pods.get(`${pod.namespace}/${pod.name}`)
    if (before === undefined || before.hostNetwork || !places.some((node) => node.name === before.node)) continue
    kept.set(before.key, before)
    taken.add(before.ip)
  }

  for (const pod of lingering) taken.add(pod.ip)
  for (const ip of platformAddresses) taken.add(ip)

  const free = [...workers.map((_, slot) => addressesOf(slot + 1, workers.length)), addressesOf(0)]
  const pods = new Map<string, Pod>()
  const ordinal = new Map<string, number>()
  for (const wanted of workloads) {
    wanted.forEach((pod, replica) => {
      const first = ordinal.get(pod.namespace) ?? 0
      const key = `${pod.namespace}/${pod.name}`
      const clash = pods.get(key)
      if (clash !== undefined) {
        throw new CompileError(pod.resource, ['metadata', 'name'], `its pod ${key} is also one of ${clash.workload}`)
      }
      const stays = kept.get(key)
      const index = places.findIndex((node) => node.name === (stays?.node ?? pod.node))
      const slot = index !== -1 ? index : (first + replica) % workers.length
      const [node, addresses] = [places[slot], free[slot]]
      if (node === undefined || addresses === undefined) throw new RangeError('a cluster needs at least one node')
      const hostNetwork = pod.template.spec.hostNetwork === true
      const ip = hostNetwork ? node.ip : (stays?.ip ?? freeAddress(addresses, taken))
      pods.set(key, modelPod(pod, node.name, ip, options))
    })
    const namespace = wanted[0]?.namespace
    if (namespace !== undefined) ordinal.set(namespace, (ordinal.get(namespace) ?? 0) + 1)
  }
  // They were given addresses, so that everybody else has the same with them and without.
  for (const { key, workload } of pods.values()) if (options.podless?.has(workload)) pods.delete(key)
  // One that is asked for again does not linger.
  for (const pod of lingering) if (!pods.has(pod.key)) pods.set(pod.key, pod)
  return pods
}

function runningPod({ resource, workload, node, ip }: RunningPod, options: PodsOptions): Pod {
  return modelPod({ ...barePod(resource), namespace: namespaceOf(resource), workload }, node, ip, options)
}

function modelPod(wanted: WantedPod, node: string, ip: string, options: PodsOptions): Pod {
  const { namespace, name, template } = wanted
  const labels = { ...template.metadata?.labels, ...wanted.added }
  const serviceAccount = serviceAccountOf(template.spec)
  const hostNetwork = template.spec.hostNetwork === true
  const gateway = options.gateways.get(`${namespace}/${wanted.workload}`)
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    workload: `${namespace}/${wanted.workload}`,
    labels,
    serviceAccount,
    identity: identityOf(options.trustDomain, namespace, serviceAccount),
    mesh: isCaptured({
      namespace,
      namespaceLabels: options.namespaceLabels.get(namespace) ?? {},
      labels,
      hostNetwork,
      annotations: template.metadata?.annotations ?? {},
    }),
    hostNetwork,
    node,
    ip,
    ports: [...listenerPorts(gateway), ...portsOf(template.spec)],
    ...(gateway?.kind === 'gateway' && { gateway: gateway.key }),
    ...(gateway?.kind === 'waypoint' && { waypoint: gateway.key }),
  }
}

/** A gateway's proxy listens where its listeners say. */
function listenerPorts(gateway: Generated | undefined): Pod['ports'] {
  return (gateway?.ports ?? []).map((port) => ({ port, protocol: 'TCP' }))
}

/** `serviceAccount` is the field's old name, which the API server still reads; an empty one is none. */
function serviceAccountOf(spec: PodSpec): string {
  const old = rawField(spec, 'serviceAccount')
  return spec.serviceAccountName || (typeof old === 'string' && old) || 'default'
}

function portsOf(spec: PodSpec): Pod['ports'] {
  // A native sidecar is an init container that stays: its ports are the pod's too.
  const staying = (spec.initContainers ?? []).filter((container) => rawField(container, 'restartPolicy') === 'Always')
  return [...(spec.containers ?? []), ...staying].flatMap((container) =>
    (container.ports ?? []).map((port) => ({
      ...(port.name !== undefined && { name: port.name }),
      port: port.containerPort,
      protocol: port.protocol ?? 'TCP',
    })),
  )
}

/**
 * The n-th worker has 10.244.n.0/24 and, when that is full, every further block that is `step` on; the control plane's node
 * has block 0 alone. The first address is the node's bridge.
 */
function* addressesOf(first: number, step = 256): Generator<string, never> {
  for (let block = first; block < 256; block += step) {
    for (let host = 2; host < 255; host++) yield `10.244.${block}.${host}`
  }
  throw new RangeError('more pods on one node than 10.244.0.0/16 has addresses for')
}

/** The next address of a node that nobody has. */
function freeAddress(addresses: Generator<string, never>, taken: ReadonlySet<string>): string {
  let ip = addresses.next().value
  while (taken.has(ip)) ip = addresses.next().value
  return ip
}
