import type { Resource } from '@bulkhead/resources'
import type { NetworkOptions } from '../api.js'
import type { Payload, Protocol } from '../types.js'
import type { NaiveWhy } from './naive-network.js'

/*
 * Test code: what a golden vector of G.1 (NetworkPolicy) and G.2 (Cilium) is, as far as it is about one packet, for both
 * evaluators. Vectors of refused objects stand with what refuses them.
 */

/** One packet of a vector, asked at `at`. A party is a workload, `node` (the destination's own), `other-node` or an address. */
export interface Ask {
  readonly from: string
  readonly to: string
  readonly at: 'egress' | 'ingress'
  readonly port?: number
  readonly protocol?: Protocol
  readonly learned?: readonly string[]
  readonly payload?: Payload
  readonly says: NaiveWhy
  readonly reads?: 'tls' | 'http' | 'dns'
}

export interface Vector {
  /** The vector's number in semantics G. */
  readonly line: number
  readonly policies: readonly Resource[]
  readonly network?: NetworkOptions
  readonly asks: readonly Ask[]
}

export type Rest = Partial<Pick<Ask, 'port' | 'protocol' | 'learned' | 'payload' | 'reads'>>

export const into = (from: string, to: string, says: NaiveWhy, rest: Rest = {}): Ask => ({
  from,
  to,
  at: 'ingress',
  says,
  ...rest,
})
export const out = (from: string, to: string, says: NaiveWhy, rest: Rest = {}): Ask => ({
  from,
  to,
  at: 'egress',
  says,
  ...rest,
})

export const dns = { port: 53, protocol: 'UDP' as const }
