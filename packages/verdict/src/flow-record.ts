import type { Symptom } from './symptoms.js'
import type { Outcome, Protocol, Step } from './types.js'

/** The mesh's short reason for a failed connection, after ztunnel's response flags. `-` is none. */
export type FlowFlag =
  | '-'
  | 'DENY' // a policy refused it
  | 'POLICY_CHANGE' // it was open, and a new policy denies it
  | 'TLS_FAILURE' // the HBONE handshake failed
  | 'CONNECT' // the far side could not be reached
  | 'NETWORK_POLICY' // the CNI dropped it
  | 'NO_ENDPOINT' // the Service has no ready pod
  | 'NO_NAME' // the name does not resolve
  | 'ILLEGAL' // something that no client may ask (another pod's CONNECT, a private socket)

/** One connection (where requests are read: one request), written once, at its end. Grouped as ztunnel's access log: source, destination, what, how long. */
export interface FlowRecord {
  readonly id: number
  /** The generation of the policies that judged it (the last one, when it was judged again while open). */
  readonly generation: number
  /** RFC 3339, UTC. */
  readonly start: string
  readonly durationMs: number
  readonly source: {
    readonly workload?: string
    readonly pod?: string
    readonly identity?: string
    readonly ip: string
  }
  readonly destination: {
    readonly workload?: string
    readonly pod?: string
    readonly service?: string
    readonly host?: string
    readonly ip?: string
    readonly port: number
  }
  readonly protocol: Protocol
  readonly transport: 'hbone' | 'plaintext' | 'dns' | 'loopback' | 'http'
  /**
   * One request at a gateway or a waypoint (`transport: http`): what was asked, and what was answered. Its steps are hop
   * 0's (up to the proxy's policies) and, when it was sent on, those of the hops behind, as the connections that carried it
   * were judged. A gateway's record tells also what the waypoint behind it says. Or one request on its way to
   * a pod or outside (`transport: plaintext`), where a wall lists requests; its steps are those of a connection.
   */
  readonly http?: {
    readonly method: string
    readonly host: string
    readonly path: string
    /** What the client got; absent when it was gone before. */
    readonly status?: number
    /** `HTTPRoute/namespace/name` */
    readonly route?: string
    /** Key of the pod that it was sent to. */
    readonly upstream?: string
  }
  /** The server's name in the ClientHello, where a wall read it. */
  readonly sni?: string
  readonly outcome: Outcome
  /** Every layer's word on it, in path order, as the enforcing point gave it. */
  readonly steps: readonly Step[]
  /** Index into steps of the first deny. */
  readonly decidedBy?: number
  readonly symptom: Symptom
  readonly flag: FlowFlag
  /** The long form of the flag, in ztunnel's manner. */
  readonly error?: string
  readonly bytesSent: number
  readonly bytesReceived: number
  /** The exec or the attempt that the connection was made by, when it was made by one. */
  readonly run?: string
}
