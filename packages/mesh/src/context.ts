import type { HopRequest, JudgeAt, NextHop, Snapshot } from '@bulkhead/verdict'
import type { Connections } from './connections.js'
import type { Flow, FlowLog } from './flows.js'
import type { Address, Capture } from './seams.js'
import type { End } from './splice.js'
import type { MeshLog } from './types.js'

/** The policies in force: replaced whole, never changed. */
export interface Policy {
  readonly snapshot: Snapshot
  readonly generation: number
}

/** The engine's two words in the data plane: where a packet really goes, and what a point says of it. */
export interface Engine {
  readonly judgeAt: JudgeAt
  nextHop(request: HopRequest, snapshot: Snapshot): NextHop
}

/** What plays a gateway's pod. */
export interface GatewayServer {
  /** Serves a connection until its end. */
  take(flow: Flow, port: number, from: Address, client: End): Promise<void>
}

/** What both sides of the proxy work with. */
export interface Context extends Engine {
  readonly flows: FlowLog
  readonly connections: Connections
  /**
   * Connections on their way through a tunnel, by the name that both ends know them by, so that one record tells
   * both sides' story. It carries no evidence: identity and address are read at the destination.
   */
  readonly inFlight: Map<string, Flow>
  /**
   * Raw connections to an HBONE port, by their source address on the wire, with how many streams each has opened. Each
   * stream is a connection with a record of its own; a raw connection without any has one too.
   */
  readonly raw: Map<string, { readonly flow: Flow; streams: number }>
  readonly connectTimeoutMs: number
  /** How long a client may say nothing where a wall has to read what it carries. */
  readonly firstBytesMs: number
  readonly log: MeshLog | undefined
  policy(): Policy
  capture(): Capture
  /** The gateway whose pod that is; undefined for all other pods. */
  gateway(key: string): GatewayServer | undefined
  /** Ports that something in that pod listens on, ascending. */
  listening(key: string): readonly number[]
  /** The unix socket of a pod's "15008"; undefined when it has none. */
  hbonePath(key: string): string | undefined
  /** A fresh source port. */
  sourcePort(): number
}
