import type { Method } from './words.js'

export type Labels = Readonly<Record<string, string>>

/** A workload at the other end, whatever there is of it already. */
export interface Peer {
  readonly namespace: string
  readonly name: string
  /** Which pods are its. */
  readonly labels: Labels
}

/** What may be asked. Absent: anything. */
export interface Requests {
  readonly methods?: readonly Method[]
  readonly paths?: readonly string[]
}

/** Somebody who may call it. */
export interface Caller extends Peer, Requests {
  /** His identity: `cluster.local/ns/<namespace>/sa/<serviceAccount>`. */
  readonly serviceAccount: string
}

/** Somebody that it may call. */
export interface Callee extends Peer, Requests {
  /** The containers' ports, and not the Service's: that is what policies at the destination are asked about. */
  readonly ports: readonly number[]
  /** The waypoint that stands before it, and the Service that it stands before. */
  readonly behind?: { readonly waypoint: string; readonly service: string }
}

export type EnvironmentVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secret: { readonly name: string; readonly key: string } }

export interface Amounts {
  readonly cpu?: string
  readonly memory?: string
}

/** What is listened on, and by what name it is called. */
export interface Listening {
  /** The container's. */
  readonly port: number
  /** The Service's. */
  readonly servicePort: number
  readonly protocol: 'http' | 'tcp'
  /** Paths that the kubelet asks; absent: it opens the port and no more. */
  readonly health?: { readonly live: string; readonly ready: string }
}

/** A description with everything in its place: what was left out is filled in, short forms are written out. */
export interface Description {
  readonly name: string
  readonly namespace: string
  /** The namespace is made too, with walls of its own. */
  readonly newNamespace: boolean
  readonly image: string
  readonly repository: string
  readonly replicas: number
  readonly args: readonly string[]
  readonly env: readonly EnvironmentVariable[]
  readonly resources: { readonly requests: Amounts; readonly limits: Amounts }
  /** Absent: it only calls, and nobody may call it. */
  readonly listens?: Listening
  readonly callers: readonly Caller[]
  readonly calls: readonly Callee[]
  /** Hosts outside that it may call, by TLS at 443. */
  readonly hosts: readonly string[]
  /** The waypoint before it; `own` is one that is made for it alone. Absent: callers come straight to its pods. */
  readonly waypoint?: { readonly name: string; readonly own: boolean }
}
