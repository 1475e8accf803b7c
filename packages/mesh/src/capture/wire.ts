/*
 * What a captured process and the agent say to each other: one JSON object per line on one unix socket per process
 * (and per worker thread). The process's first line shows its secret; which pod it is follows from that alone.
 */

/** An IPv4 address and a port. */
export type Endpoint = readonly [ip: string, port: number]

/** What the preload is told through the environment, as JSON. */
export interface CaptureConfig {
  /** Path of the agent's socket. */
  readonly agent: string
  /** Folder of all private sockets: to a captured process, what is in it is not there. */
  readonly runDir: string
  /** Folder in `runDir` where the process makes the private sockets of its listeners. */
  readonly sockets: string
  readonly secret: string
  readonly pod: { readonly name: string; readonly ip: string }
  /** The proxy variables that the grant set for programs that are not Node's. */
  readonly proxy?: Readonly<Record<string, string>>
}

/** From the process to the agent. `id` is the process's own number for a connect, listener, question or UDP port. */
export type Up =
  | { readonly op: 'hello'; readonly secret: string; readonly pid: number }
  | { readonly op: 'dial'; readonly id: number; readonly host: string; readonly port: number }
  /** The process has called connect() on the slot that it was given. */
  | { readonly op: 'open'; readonly id: number }
  /** The process no longer wants the answer, or the slot. */
  | { readonly op: 'gone'; readonly id: number }
  /** The app reset its end: of a dialled connection, or of an accepted one. */
  | { readonly op: 'reset'; readonly id: number }
  | { readonly op: 'reset-accepted'; readonly conn: number }
  | {
      readonly op: 'listen'
      readonly id: number
      readonly host: string
      /** 0: any free one, reachable from the pod's loopback only. */
      readonly port: number
      /** File name in `sockets`. */
      readonly socket: string
      /** Hex; shown by whoever may connect to `socket`. */
      readonly token: string
      /** Same for the workers of one cluster primary, which share a port. */
      readonly group?: string
    }
  | { readonly op: 'unlisten'; readonly id: number }
  | { readonly op: 'resolve'; readonly id: number; readonly name: string }
  | { readonly op: 'bind'; readonly id: number; readonly host: string; readonly port: number }
  | { readonly op: 'unbind'; readonly id: number }
  | { readonly op: 'send'; readonly id: number; readonly host: string; readonly port: number; readonly data: string }

/** The answer to an `Up` that asks something. */
export interface Answer {
  readonly id: number
  /** An errno or resolver code; absent on success. */
  readonly error?: string
  readonly message?: string
  /** dial */
  readonly slot?: string
  readonly remote?: Endpoint
  readonly local?: Endpoint
  /** listen, bind */
  readonly ip?: string
  readonly port?: number
  /** resolve */
  readonly addresses?: readonly string[]
}

/** From the agent to the process, unasked. */
export type Note =
  | { readonly op: 'reset'; readonly id: number }
  | { readonly op: 'reset-accepted'; readonly conn: number }
  | { readonly op: 'datagram'; readonly id: number; readonly from: Endpoint; readonly data: string }
  /** The agent will say nothing more; `message` says why. */
  | { readonly op: 'refused'; readonly message: string }

export type Down = Answer | Note
