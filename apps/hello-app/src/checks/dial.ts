import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { buildConnector } from 'undici'
import type { Evidence } from './network-code.js'

export interface DialTarget {
  /** The name: it is resolved, sent as the TLS server name, and looked for in the certificate. */
  readonly host: string
  readonly port: number
  /** Certificate authorities instead of Node's own and NODE_EXTRA_CA_CERTS. For tests. */
  readonly ca?: string
  /** Another resolver than the system's. For tests. */
  readonly lookup?: LookupFunction
}

/** One TLS connection for undici, which remembers how far it came. It can be dialled once. */
export class Dial {
  readonly #target: DialTarget
  #phase: Evidence['phase'] = 'name'
  #since = performance.now()
  /** The connection under TLS: only it tells of bytes that came during the handshake. */
  #socket: Socket | undefined
  #untrusted = false

  constructor(target: DialTarget) {
    this.#target = target
  }

  /** Whether the certificate was what ended it. */
  get untrusted(): boolean {
    return this.#untrusted
  }

  evidence(): Evidence {
    return {
      phase: this.#phase,
      heard: (this.#socket?.bytesRead ?? 0) > 0,
      waitedMs: performance.now() - this.#since,
    }
  }

  readonly connect: buildConnector.connector = (_options, callback) => {
    if (this.#socket !== undefined) {
      // undici dials again where it thinks that this may help. One check is one connection.
      callback(new Error('a check dials once'), null)
      return
    }
    const { host, port, ca, lookup } = this.#target
    this.#since = performance.now()
    const tcp = connectTcp({ host, port, ...(lookup === undefined ? {} : { lookup }) })
    const socket = connectTls({
      socket: tcp,
      servername: host,
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes nothing.
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
    })
    this.#socket = tcp
    tcp.once('lookup', (error: Error | null) => {
      if (error === null) this.#phase = 'connect'
    })
    tcp.once('connect', () => {
      this.#phase = 'handshake'
      this.#since = performance.now()
    })
    socket.once('secureConnect', () => {
      this.#phase = 'answer'
      socket.removeListener('error', failed)
      callback(null, socket)
    })
    const failed = (error: Error): void => {
      // Set while a certificate is refused, and only then.
      this.#untrusted = Boolean(socket.authorizationError)
      callback(error, null)
    }
    socket.once('error', failed)
  }

  /** Ends it, wherever it is. */
  end(): void {
    this.#socket?.on('error', () => {})
    this.#socket?.destroy()
  }
}
