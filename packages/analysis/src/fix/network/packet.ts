import type { Pod, Snapshot, Step } from '@bulkhead/verdict'

/** The packet that a step of the network's is about, as it says itself. */
export interface Packet {
  /** Whose policies were asked. */
  readonly pod: Pod
  readonly direction: 'ingress' | 'egress'
  readonly peer: Peer
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  /** The name that it asks for. */
  readonly query?: string
}

export type Peer =
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'api-server' }
  | { readonly kind: 'address'; readonly ip: string }
  | { readonly kind: 'host'; readonly name: string }

/** Undefined for a pod that is not in the manifests, and for a peer that no rule can name alone: a node. */
export function packetOf({ facts = {} }: Step, snapshot: Snapshot): Packet | undefined {
  const { direction, query } = facts
  const [, number, protocol] = /^(\d+)\/(TCP|UDP|SCTP)$/.exec(String(facts.port)) ?? []
  const pod = podNamed(String(facts.pod), snapshot)
  const peer = peerNamed(String(facts.peer), Number(number), snapshot)
  if (pod === undefined || pod.hostNetwork || peer === undefined || protocol === undefined) return undefined
  if (direction !== 'ingress' && direction !== 'egress') return undefined
  return {
    pod,
    direction,
    peer,
    port: Number(number),
    protocol: protocol as Packet['protocol'],
    ...(query !== undefined && { query: String(query) }),
  }
}

const isAddress = (text: string): boolean => text.includes(':') || /^\d+(\.\d+){3}$/.test(text)

function podNamed(name: string, { pods, platform }: Snapshot): Pod | undefined {
  return [...pods.values(), platform.dns, platform.istiod].find(
    ({ key, workload }) => workload === name || key === name,
  )
}

function peerNamed(name: string, port: number, snapshot: Snapshot): Peer | undefined {
  const pod = podNamed(name, snapshot)
  if (pod !== undefined) return pod.hostNetwork ? undefined : { kind: 'pod', pod }
  const { controlPlane } = snapshot.platform
  const node = [...snapshot.nodes, controlPlane].find(
    ({ name: one, ip }) => name === `node ${one}` || name === one || name === ip,
  )
  if (node !== undefined) return node === controlPlane && port === 6443 ? { kind: 'api-server' } : undefined
  if (isAddress(name)) return { kind: 'address', ip: name }
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i.test(name) ? { kind: 'host', name } : undefined
}
