import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { ForgedCertificate } from '@bulkhead/verdict'
import type { WorkloadCertificate } from './ca.js'
import { endSession, MAX_STREAMS, WINDOW_BYTES } from './hbone-common.js'
import { peerIdentity } from './identity.js'
import { listenPrivately } from './private-socket.js'
import { readHeader } from './proxy-header.js'
import type { Address } from './seams.js'
import type { MeshLog } from './types.js'

/** A peer that stalls in its handshake holds a socket and nothing else, and not for longer. */
export const HANDSHAKE_TIMEOUT_MS = 5_000
/** CONNECT needs two pseudo headers; a flood of them is no CONNECT. */
const MAX_HEADERS = 32
const MAX_HEADER_BYTES = 8 * 1024
/** A peer in breach of the protocol so often is not worth a session. */
const MAX_INVALID_FRAMES = 32
/** Raw connections at one port at a time, handshaking ones included. */
const MAX_CONNECTIONS = 512
/**
 * Our clients close idle sessions sooner. After a breach of the protocol HTTP/2 stops reading, and would not even notice
 * that its peer is gone: a silent session without streams is ended, and one with streams has to answer a ping.
 */
const IDLE_TIMEOUT_MS = 45_000

/** Who opened a tunnel, as its verified certificate and the wire say. */
export interface Peer extends Address {
  readonly identity: string
}

/** A handshake that came to nothing. Without `certificate` it was not about one (no TLS at all, say). */
export interface Refusal {
  /** What the peer showed in place of a certificate of its own. */
  readonly certificate?: ForgedCertificate
  readonly error: string
}

export interface HboneHandler {
  /** A CONNECT, or what else came on a stream. */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: Peer): void
  /** `from` is absent for a connection that did not come through the mesh. */
  refused(from: Address | undefined, refusal: Refusal): void
}

export interface HboneServerOptions {
  /** Of the unix socket. */
  readonly path: string
  readonly token: Buffer
  readonly root: string
  readonly trustDomain: string
  /** Asked for each handshake: a rotated certificate serves from the next one on, and open sessions stay. */
  readonly certificate: () => WorkloadCertificate | Promise<WorkloadCertificate>
  readonly handler: HboneHandler
  /** For the header, for TLS, and for the peer's first SETTINGS, each. Default 5 s. */
  readonly handshakeTimeoutMs?: number
  readonly idleTimeoutMs?: number
  readonly log?: MeshLog | undefined
}

/** A pod's port 15008: HTTP/2 over mutual TLS 1.3, on a unix socket of its own. */
export class HboneServer {
  readonly #options: HboneServerOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  #closing = false
  /** TLS handshakes completed since the start. */
  handshakes = 0

  private constructor(options: HboneServerOptions) {
    this.#options = options
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.#accept(socket))
    this.#server.maxConnections = MAX_CONNECTIONS
    // Out of file descriptors, say. The next connection is taken again when there are some.
    this.#server.on('error', (err) => options.log?.error({ err, path: options.path }, 'an HBONE port cannot accept'))
  }

  static async listen(options: HboneServerOptions): Promise<HboneServer> {
    const server = new HboneServer(options)
    await listenPrivately(server.#server, options.path)
    return server
  }

  get sessions(): number {
    return this.#sessions.size
  }

  async #accept(socket: Socket): Promise<void> {
    const { token, handler, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = this.#options
    this.#sockets.add(socket)
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    const from = await readHeader(socket, token, handshakeTimeoutMs)
    if (from === undefined) {
      socket.destroy()
      if (this.#closing) return
      handler.refused(undefined, { error: 'a connection to the HBONE socket that did not come through the mesh' })
      return
    }
    try {
      const secure = await this.#handshake(socket, await this.#options.certificate(), handshakeTimeoutMs)
      const peer = peerIdentity(secure, this.#options.trustDomain)
      if ('refused' in peer) {
        socket.destroy()
        handler.refused(from, { certificate: 'other-domain', error: `TLS handshake failed: ${peer.refused}` })
        return
      }
      this.handshakes += 1
      this.#serve(secure, { ...from, identity: peer.identity })
    } catch (error) {
      socket.destroy()
      handler.refused(from, error instanceof HandshakeError ? error : { error: `TLS handshake failed: ${error}` })
    }
  }

  #handshake(
    socket: Socket,
    { certificate: cert, key }: WorkloadCertificate,
    handshakeTimeout: number,
  ): Promise<TLSSocket> {
    const { root } = this.#options
    return new Promise((resolve, reject) => {
      // One TLS server per connection, never listening: the only public way to know which connection a handshake is of.
      // Nothing can be resumed either: every session shows its certificate anew.
      const tls = createTlsServer({
        cert,
        key,
        ca: root,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        ALPNProtocols: ['h2'],
        handshakeTimeout,
      })
      tls.once('secureConnection', resolve)
      tls.once('tlsClientError', (error, secure) => reject(new HandshakeError(error, secure)))
      // The TLS socket's own word on why comes after the raw socket's close.
      const gone = () => setImmediate(reject, new HandshakeError(new Error('the peer closed')))
      socket.once('close', gone)
      if (socket.destroyed) gone()
      else tls.emit('connection', socket)
    })
  }

  #serve(secure: TLSSocket, peer: Peer): void {
    // Whatever comes after the session has let go of it must not end the process.
    secure.on('error', () => {})
    const session = performServerHandshake(secure, {
      settings: {
        initialWindowSize: WINDOW_BYTES,
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: MAX_HEADER_BYTES,
      },
      maxHeaderListPairs: MAX_HEADERS,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      maxSettings: MAX_HEADERS,
    })
    this.#sessions.add(session)
    session.setLocalWindowSize(WINDOW_BYTES)
    session.once('close', () => this.#sessions.delete(session))
    // A session's error ends that session, and every stream of it with a reset.
    session.on('error', () => {}).on('frameError', () => {})
    const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS, idleTimeoutMs = IDLE_TIMEOUT_MS } = this.#options
    const unsettled = setTimeout(() => endSession({ session, secure }), handshakeTimeoutMs)
    session.once('remoteSettings', () => clearTimeout(unsettled)).once('close', () => clearTimeout(unsettled))
    let streams = 0
    let unanswered: NodeJS.Timeout | undefined
    session.setTimeout(idleTimeoutMs, () => {
      if (streams === 0 || session.destroyed) return endSession({ session, secure })
      clearTimeout(unanswered)
      unanswered = setTimeout(() => endSession({ session, secure }), idleTimeoutMs)
      // It is activity too, so the next silence is noticed again.
      session.ping(() => clearTimeout(unanswered))
    })
    session.once('close', () => clearTimeout(unanswered))
    session.on('stream', (stream, headers) => {
      streams += 1
      stream
        .on('error', () => {})
        .once('close', () => {
          streams -= 1
        })
      this.#options.handler.stream(stream, headers, peer)
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

class HandshakeError extends Error {
  readonly certificate?: ForgedCertificate

  constructor(cause: Error, socket?: TLSSocket) {
    const unverified = String(socket?.authorizationError ?? '')
    const code = unverified || ('code' in cause ? String(cause.code) : '')
    const refusal = REFUSALS[code]
    super(`TLS handshake failed: ${refusal?.says ?? (code || cause.message)}`)
    const certificate = refusal?.certificate ?? (unverified ? 'other-domain' : undefined)
    if (certificate !== undefined) this.certificate = certificate
  }

  get error(): string {
    return this.message
  }
}

/** Plain text, as one of these or another is what OpenSSL makes of it. */
const NO_TLS = { certificate: 'none', says: 'what came is no TLS' } as const

const NOT_OURS = { certificate: 'other-domain', says: "the peer's certificate is not of this mesh's CA" } as const

/** What the CertificateVerify of a handshake is refused with, up to OpenSSL 3.4 and from 3.5 on. */
const NOT_ITS_KEY = { certificate: 'stolen', says: "the peer's key is not its certificate's" } as const

/** OpenSSL's codes (X509_V_ERR_* of the certificate, SSL_R_* of the handshake) and what they mean here. */
const REFUSALS: Readonly<Record<string, { readonly certificate: ForgedCertificate; readonly says: string }>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: { certificate: 'none', says: 'the peer showed no certificate' },
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_RECORD_LAYER_FAILURE: NO_TLS,
  CERT_HAS_EXPIRED: { certificate: 'expired', says: "the peer's certificate has expired" },
  ERR_SSL_BAD_SIGNATURE: NOT_ITS_KEY,
  ERR_SSL_PROVIDER_SIGNATURE_FAILURE: NOT_ITS_KEY,
  DEPTH_ZERO_SELF_SIGNED_CERT: { certificate: 'self-signed', says: "the peer's certificate is self-signed" },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_OURS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_OURS,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_OURS,
}
