import type { Duplex } from 'node:stream'
import type { FlowRecord, Snapshot } from '@bulkhead/verdict'
import type { Outside } from './seams.js'

/** What is logged; service-kit's pino fits, and so does a recording one in tests. */
export interface MeshLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface MeshOptions {
  /** A short, private (0700) folder for the sockets: a unix socket's path may have 104 bytes on macOS. */
  readonly runDir: string
  readonly snapshot: Snapshot
  /** Default `cluster.local`. */
  readonly trustDomain?: string
  /** Life of a workload's certificate; rotated at half of it. Default 1 h. */
  readonly certificateTtlMs?: number
  /** How long the source waits for a dropped packet. 10 s on a cluster; default 1 s here. */
  readonly connectTimeoutMs?: number
  /** Flow records kept. Default 10,000. */
  readonly flowRing?: number
  readonly log?: MeshLog
  /** What is beyond the pods; whoever made it closes it. Default: nothing is. */
  readonly outside?: Outside
  /** For tests: the identity that a pod's certificate is issued for. Default its own. */
  readonly identityOf?: (podKey: string) => string
}

/** What a process needs to run as a pod: its environment, with the capture preload in it. */
export interface Grant {
  readonly id: string
  readonly env: Readonly<Record<string, string>>
  /** What is begun with it from now on belongs to that run; what was begun before stays its own run's. */
  mark(run: string): void
  /** Its process has ended: makes the secret worthless, and has what was opened with it read to its end. */
  end(): void
  /** Makes the secret worthless and closes what was opened with it. */
  revoke(): void
}

/** A port of this machine that leads into the cluster. */
export interface Published {
  readonly port: number
  close(): Promise<void>
}

/** The local data plane: both nodes' proxies, the network between them, and the CA. */
export interface MeshApi {
  /** Opens the pod's HBONE port and issues its certificate. The pod must be in the snapshot. */
  addPod(podKey: string): Promise<void>
  removePod(podKey: string): Promise<void>
  /** Only ready pods are endpoints of Services. A new pod is not ready. */
  setReady(podKey: string, ready: boolean): void
  /**
   * The right to speak as that pod. `run` marks the flow records of what is done with it (an exec, an attempt).
   * `socks`: the environment names the SOCKS5 door too, for programs that are not Node's.
   */
  grant(podKey: string, options?: { run?: string; socks?: boolean }): Grant
  /**
   * Has what runs on a node itself, outside of every pod, speak with the node's address and no identity. Resolves with the key
   * that `grant` takes for it. Rejects for a name that no node has.
   */
  addNode(node: string): Promise<string>
  /** Ports that the pod's processes listen on. */
  listening(podKey: string): readonly number[]
  /** The file of the private socket behind a port, as a thief would look for it. Undefined: nothing listens there. */
  privateSocket(podKey: string, port: number): string | undefined
  /** A connection as the kubelet makes it: from 169.254.7.127, past ztunnel. Rejects with a code as `connect` does (ECONNREFUSED ...). */
  dialAsKubelet(podKey: string, port: number, signal?: AbortSignal): Promise<Duplex>
  /**
   * Opens a port of this machine's loopback that leads to a Service of the cluster as a caller from outside comes to it:
   * not captured, without an identity, from `outsideAddress`. `run` marks the records of what comes in. Rejects with the
   * code of `listen` (EADDRINUSE ...).
   */
  publish(
    service: string,
    servicePort: number,
    options: { readonly at: number; readonly run?: string },
  ): Promise<Published>
  /**
   * Puts another snapshot in force, whole. Open connections are judged again; those now denied are closed, with `inOrder`
   * tunnels to a pod once nobody waits for an answer on them, and two seconds later at the latest. Returns how many.
   */
  swap(snapshot: Snapshot, generation: number, options?: { inOrder?: boolean }): number
  /** Resolves when every pod that a label takes into the mesh, or out of it, is there: with a certificate and port 15008, or without. */
  enrolled(): Promise<void>
  readonly generation: number
  /** The connections that are open now, by the keys of the pods at their ends. */
  calls(): readonly { readonly from: string; readonly to: string }[]
  /** How many connections have been sent to that pod, and are neither with what listens there nor refused. */
  approaching(podKey: string): number
  /** The records kept, oldest first. */
  flows(filter?: { run?: string }): readonly FlowRecord[]
  /** Called for each record as its connection ends. Returns the way to stop it. */
  onFlow(listener: (record: FlowRecord) => void): () => void
  /** A certificate as a thief has it: real, but over (`expired`), or without its key (`stolen`). PEM. */
  loot(kind: 'expired' | 'stolen', identity: string): Promise<{ certificate: string; key?: string }>
  close(): Promise<void>
}
