import type { ServerHttp2Stream } from 'node:http2'
import type { HopRequest, JudgeAt, NextHop, Pod, Snapshot, WaypointEvidence } from '@bulkhead/verdict'
import type { Connections } from './connections.js'
import type { Flow, FlowLog } from './flows.js'
import type { Peer } from './hbone-server.js'
import type { Address, Capture } from './seams.js'
import type { End } from './splice.js'
import type { MeshLog } from './types.js'

/** The policies in force: replaced whole, never changed. */
export interface Policy {
  readonly snapshot: Snapshot
  readonly generation: number
  /** What was in force before, where what had begun then may still arrive. */
  readonly before?: Snapshot
}

/** The engine's words in the data plane: where a packet really goes, what it means there, and what a point says of it. */
export interface Engine {
  readonly judgeAt: JudgeAt
  nextHop(request: HopRequest, snapshot: Snapshot): NextHop
  /** What a CONNECT to that address means at a waypoint's pod; undefined for what it does not serve. */
  servedAt(waypoint: Pod, target: Address, snapshot: Snapshot): WaypointEvidence['to'] | undefined
}

/** What plays the pod of a gateway or a waypoint. */
export interface ProxyServer {
  /** Serves a connection until its end. */
  take(flow: Flow, port: number, from: Address, client: End): Promise<void>
  /** Serves a CONNECT at its port 15008 until its end. `counts`: nobody else counts its bytes. */
  tunnel(flow: Flow, stream: ServerHttp2Stream, authority: string, peer: Peer, counts: boolean): Promise<void>
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
  /** The gateway or waypoint whose pod that is; undefined for all other pods. */
  proxy(key: string): ProxyServer | undefined
  /** Ports that something in that pod listens on, ascending. */
  listening(key: string): readonly number[]
  /** The unix socket of a pod's "15008"; undefined when it has none. */
  hbonePath(key: string): string | undefined
  /** A fresh source port. */
  sourcePort(): number
}
