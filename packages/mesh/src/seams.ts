import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Grant } from './types.js'

/*
 * The seam between the two halves of the data plane. Capture (capture/) takes a pod's connections over and hands
 * them out; the network side (mesh.ts, outbound.ts, inbound.ts) judges and carries them. Another capture, with
 * network namespaces, could take this one's place.
 */

export interface Address {
  readonly ip: string
  readonly port: number
}

/** One connect() of a pod's process. */
export interface DialRequest {
  /** Key of the pod whose secret was shown. Never a name that the process states. */
  readonly pod: string
  readonly run?: string
  /** A name or an address, as the app gave it. */
  readonly host: string
  readonly port: number
}

/** The pod's end of an accepted connection. */
export interface ClientEnd {
  readonly stream: Socket
  /** Ends it as an RST does: the app reads ECONNRESET. */
  reset(): void
}

export type DialAnswer =
  /** connect() fails at once with this code. */
  | {
      readonly kind: 'error'
      readonly code: 'ECONNREFUSED' | 'ENOTFOUND' | 'EAI_AGAIN' | 'EHOSTUNREACH'
      readonly message: string
    }
  /** The SYN was dropped: connect() is never answered. */
  | { readonly kind: 'drop' }
  /** connect() succeeds. In the mesh that is before anything is dialled or judged. */
  | {
      readonly kind: 'accept'
      readonly remote: Address
      readonly local: Address
      carry(client: ClientEnd): void
      abandon(): void
    }

/** What capture asks of the network side. */
export interface Dialer {
  dial(request: DialRequest): Promise<DialAnswer>
  /** IPv4 addresses of a name, as that pod's resolver would answer; a DialAnswer-like code otherwise. */
  resolve(
    pod: string,
    name: string,
    run?: string,
  ): Promise<{ readonly addresses: readonly string[] } | { readonly code: 'ENOTFOUND' | 'EREFUSED' | 'EAI_AGAIN' }>
  /** A datagram; judged by the network layers only. False: dropped. Delivered through Capture.deliver. */
  datagram(
    pod: string,
    run: string | undefined,
    to: { readonly host: string; readonly port: number },
    from: number,
    data: Uint8Array,
  ): Promise<boolean>
  /** A UDP port of that pod is nobody's any more: what was sent from it has its record. */
  unbound(pod: string, port: number): void
}

/** What the network side asks of capture. */
export interface Capture {
  addPod(pod: { readonly key: string; readonly name: string; readonly ip: string }): Promise<void>
  removePod(key: string): Promise<void>
  grant(key: string, options: { readonly run?: string; readonly socks?: boolean }): Grant
  /** Ports that the pod's processes listen on, ascending. */
  listening(key: string): readonly number[]
  /** The file of the private socket behind a port, as a thief would look for it. Undefined: nothing listens there. */
  privateSocket(key: string, port: number): string | undefined
  /**
   * A connection to the app's private socket; the app sees `from` as the remote address. Rejects with code
   * ECONNREFUSED when nothing listens. Half-open is allowed; the app is reset by its `resetAndDestroy`, as a net.Socket's.
   */
  dialApp(key: string, port: number, from: Address): Promise<Duplex>
  /** A datagram for a bound UDP port of that pod. False: nothing is bound. */
  deliver(key: string, port: number, from: Address, data: Uint8Array): boolean
  close(): Promise<void>
}

/** What an address that is no pod's is, to the cluster. */
export type Place = 'world' | 'node' | 'control-plane' | 'dns' | 'istiod'

/** What is beyond the pods, as far as the mesh reaches it: the outside, the nodes' own ports, the API server, the cluster's own pods. */
export interface Outside {
  /** What the world's DNS has for a name; undefined: no such name. IPv4. */
  resolve(name: string): Promise<readonly string[] | undefined>
  /**
   * A connection to an address that is no pod's of the manifests. Rejects with a code as `connect` does (ECONNREFUSED, ETIMEDOUT,
   * EHOSTUNREACH). Half-open is allowed.
   */
  dial(to: Address, place: Place, signal?: AbortSignal): Promise<Duplex>
  /** A datagram to such an address; what comes back goes to `reply`. False: nobody takes it. */
  datagram(to: Address, place: Place, data: Uint8Array, reply: (data: Uint8Array) => void): boolean
  close(): Promise<void>
}
