import type { Http2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'

/** 64 KiB windows halve the throughput of bulk data; more than 1 MiB adds nothing (measured). */
export const WINDOW_BYTES = 1024 * 1024
/** Streams that one session may hold open; a client opens a further session beyond it. */
export const MAX_STREAMS = 200

/** A session, and the connection under it. */
export interface Tunnels<S extends Http2Session = Http2Session> {
  readonly session: S
  readonly secure: TLSSocket
}

/**
 * Ends a session at once. Node's own `destroy` waits for a write that is on its way, and one that its peer never takes
 * would keep the connection open for good.
 */
export function endSession({ session, secure }: Tunnels): void {
  session.destroy()
  secure.destroy()
}
