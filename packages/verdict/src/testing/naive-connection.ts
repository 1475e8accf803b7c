import { type NaiveCall, naiveAuthorization, naiveStrict } from './naive.js'
import {
  type NaiveNetworkPod,
  type NaivePacket,
  type NaivePayload,
  type NaiveWorld,
  naiveNetwork,
} from './naive-network.js'
import type { NaiveRequest, Plain } from './naive-patterns.js'

/*
 * Test code: a whole connection, judged by the naive evaluators of the network layers and of ztunnel, one after the other
 * (semantics 0). It shares no line with the engine. No gateways and no waypoints.
 */

export interface NaiveEndpoint extends NaiveNetworkPod {
  readonly mesh: boolean
  /** `<trust domain>/ns/<namespace>/sa/<name>` */
  readonly principal: string
}

export interface NaiveFlow {
  /** `node`: a node itself, as the kubelet is one. */
  readonly from: NaiveEndpoint | { readonly ip: string } | { readonly node: string; readonly ip: string }
  /** `host`: a name that is not the cluster's, and its address. */
  readonly to: NaiveEndpoint | { readonly host: string; readonly ip: string }
  readonly port: number
  readonly protocol: 'TCP' | 'UDP'
  readonly http?: NaiveRequest
  readonly query?: string
}

export interface NaiveMesh {
  readonly authorizationPolicies: readonly Plain[]
  readonly peerAuthentications: readonly Plain[]
  readonly dns: NaiveEndpoint
}

type Word = 'allow' | 'deny' | 'unknown'
type Said = readonly [point: 'cni-egress' | 'cni-ingress' | 'ztunnel', word: Word]

/** The outcome, and the first point that denies. */
export function naiveConnection(world: NaiveWorld, mesh: NaiveMesh, flow: NaiveFlow): { outcome: Word; by?: Said[0] } {
  const said = wordsOf(world, mesh, flow)
  const denies = said.find(([, word]) => word === 'deny')
  if (denies !== undefined) return { outcome: 'deny', by: denies[0] }
  return { outcome: said.some(([, word]) => word === 'unknown') ? 'unknown' : 'allow' }
}

function wordsOf(world: NaiveWorld, mesh: NaiveMesh, { from, to, port, protocol, http, query }: NaiveFlow): Said[] {
  const said: Said[] = []
  const source = 'namespace' in from ? from : undefined
  const destination = 'namespace' in to ? to : undefined
  const packet = { port, protocol, learned: [] as string[] }
  const ask = (point: 'cni-egress' | 'cni-ingress', one: Omit<NaivePacket, 'direction'>): boolean => {
    const { outcome, reads } = naiveNetwork(world, { ...one, direction: point === 'cni-egress' ? 'egress' : 'ingress' })
    said.push([point, outcome])
    return outcome === 'allow' && reads.includes('dns')
  }

  // A name that is not the cluster's is asked of kube-dns first; a node's resolver is not the pod's.
  if ('host' in to && source !== undefined && !source.hostNetwork) {
    const question = { port: 53, protocol: 'UDP', learned: [], payload: { kind: 'dns', query: to.host } as const }
    const seen = ask('cni-egress', { ...question, pod: source, peer: mesh.dns })
    ask('cni-ingress', { ...question, pod: mesh.dns, peer: source })
    if (seen && said.every(([, word]) => word === 'allow')) packet.learned.push(to.host)
  }

  const tunnelled = protocol === 'TCP' && source?.mesh === true && destination?.mesh === true
  const probe =
    protocol === 'TCP' &&
    source === undefined &&
    'node' in from &&
    destination?.mesh === true &&
    from.node === destination.node
  const payload: NaivePayload = tunnelled
    ? { kind: 'tls' }
    : query !== undefined
      ? { kind: 'dns', query }
      : http !== undefined
        ? { kind: 'http', ...http }
        : 'host' in to && port === 443
          ? { kind: 'tls', sni: to.host }
          : { kind: 'other' }
  const sent = { ...packet, payload, ...(tunnelled && { port: 15008 }) }
  if (source !== undefined) ask('cni-egress', { ...sent, pod: source, peer: to })
  if (
    source === undefined &&
    'node' in from &&
    destination !== undefined &&
    !(destination.hostNetwork && destination.node === from.node)
  ) {
    const nobody = { namespace: '', labels: {}, serviceAccount: '', hostNetwork: true, ports: [] }
    const { outcome } = naiveNetwork(world, {
      ...packet,
      direction: 'egress',
      pod: { ...nobody, node: from.node, ip: from.ip },
      peer: to,
    })
    // Whether Cilium keeps a node's own packets in is a setting of its own.
    if (outcome !== 'allow') said.push(['cni-egress', 'unknown'])
  }
  if (destination === undefined) return said
  // What a node sends to its captured pods comes from an address of its own, and ztunnel lets it by (C.8).
  ask('cni-ingress', { ...sent, pod: destination, peer: probe ? { ip: '169.254.7.127' } : from })
  if (!destination.mesh || protocol !== 'TCP' || probe) return said

  const principal = tunnelled ? (source?.principal ?? null) : null
  const call: NaiveCall = { pod: destination, port, ip: from.ip, principal }
  if (principal === null) {
    const strict = naiveStrict(mesh.peerAuthentications, destination, port)
    said.push(['ztunnel', strict ? 'deny' : 'allow'])
  }
  const authorized = naiveAuthorization(mesh.authorizationPolicies, call)
  said.push(['ztunnel', authorized === 'deny' || authorized === 'default' ? 'deny' : 'allow'])
  return said
}
