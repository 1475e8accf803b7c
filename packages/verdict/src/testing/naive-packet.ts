import type { NaiveNetworkPod, Party } from './naive-identity.js'
import { entries, get, type NaiveRequest } from './naive-patterns.js'

/*
 * Test code: a packet, and what a rule of the network layers may say of it, for naive-network.ts.
 */

export type NaivePayload =
  | { readonly kind: 'tls'; readonly sni?: string }
  | ({ readonly kind: 'http' } & NaiveRequest)
  | { readonly kind: 'dns'; readonly query: string }
  | { readonly kind: 'other' }

export interface NaivePacket {
  readonly direction: 'egress' | 'ingress'
  /** Whose policies are asked. */
  readonly pod: NaiveNetworkPod
  readonly peer: NaiveNetworkPod | { readonly ip: string }
  readonly port: number
  readonly protocol: string
  readonly learned: readonly string[]
  readonly payload?: NaivePayload
}

/** One rule's one peer's one port that the packet meets. */
export interface Match {
  readonly policy: string
  readonly deny: boolean
  /** The peer, as its selector is written out: rules with the same one and the same port are one to Cilium. */
  readonly peer: string
  readonly port: string
  readonly names?: readonly unknown[]
  readonly http?: readonly unknown[]
  readonly dns?: readonly unknown[]
  readonly auth?: unknown
  /** The rule holds something that is not modelled, and would match if that did. */
  readonly unread: boolean
}

export interface HeardOne {
  readonly isolates: boolean
  readonly matches: readonly Omit<Match, 'policy'>[]
}

export const silent: HeardOne = { isolates: false, matches: [] }

/** The pod whose ports have names: the one the packet goes to. Nodes and the outside have none. */
export function named({ direction, pod, port, protocol }: NaivePacket, party: Party, name: unknown): boolean {
  const destination = direction === 'ingress' ? pod : party.is === 'pod' ? party.pod : undefined
  return (destination?.ports ?? []).some((one) => one.name === name && one.port === port && one.protocol === protocol)
}

export function blockText(cidr: unknown, except: unknown): string {
  const holes = entries(except)
  const text = String(cidr)
  return `${text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`} without ${holes.join()}`
}

export function portText({ protocol }: NaivePacket): (entry: unknown) => string {
  return (entry) => `${protocol} ${get(entry, 'port') ?? 0}-${get(entry, 'endPort') ?? 0}`
}
