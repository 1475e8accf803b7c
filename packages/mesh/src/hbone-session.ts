import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { WorkloadCertificate } from './ca.js'
import { endSession, type Tunnels, WINDOW_BYTES } from './hbone-common.js'
import { SessionTransport } from './hbone-transport.js'
import { peerIdentity } from './identity.js'

import { writeHeader } from './proxy-header.js'
import type { Address } from './seams.js'

export interface TunnelSource {
  readonly key: string
  readonly ip: string
  readonly certificate: WorkloadCertificate
}

export interface TunnelTarget {
  readonly key: string
  readonly ip: string
  /** Whom its certificate must name. */
  readonly identity: string
  /** Of the pod's "15008"; undefined: that pod has none. */
  readonly path: string | undefined
}

/** Why there is no tunnel. `status`: the far side answered, and what. */
export class TunnelError extends Error {
  readonly kind: 'connect' | 'tls' | 'status' | 'reset'
  readonly status: number | undefined
  constructor(kind: TunnelError['kind'], message: string, status?: number) {
    super(message)
    this.name = 'TunnelError'
    this.kind = kind
    this.status = status
  }
}

export interface SessionOptions {
  readonly token: Buffer
  readonly root: string
  readonly trustDomain: string
  /** For each step of the way: the socket, TLS, the far side's SETTINGS. */
  readonly timeoutMs: number
}

/** Up to the far side's SETTINGS: in TLS 1.3 a client is done before the server has looked at its certificate. */
export async function openSession(
  options: SessionOptions,
  source: TunnelSource,
  target: TunnelTarget,
  local: Address,
): Promise<Tunnels<ClientHttp2Session>> {
  const { timeoutMs, token } = options
  if (target.path === undefined) throw new TunnelError('connect', `nothing listens at ${target.ip}:15008`)
  // Not half-open: a peer that ends the connection is gone, and without a word if it refused us.
  const raw = await dial(target.path, timeoutMs, false)
  raw.write(writeHeader(token, local, { ip: target.ip, port: 15008 }))
  const secure = await handshake(options, raw, source, target)
  const session = connectHttp2(`https://${target.ip}:15008`, {
    createConnection: () => new SessionTransport(secure),
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  })
  return new Promise((resolve, reject) => {
    let problem = ''
    const refused = () => {
      clearTimeout(timer)
      reject(new TunnelError('tls', `TLS handshake failed: ${problem || 'the peer refused our certificate'}`))
    }
    const timer = setTimeout(() => {
      problem = `no answer within ${timeoutMs} ms`
      endSession({ session, secure })
    }, timeoutMs)
    session.on('error', (error: Error) => {
      problem = error.message
    })
    session.on('frameError', () => {})
    session.once('close', refused)
    session.once('remoteSettings', () => {
      clearTimeout(timer)
      session.off('close', refused)
      session.setLocalWindowSize(WINDOW_BYTES)
      resolve({ session, secure })
    })
  })
}

function handshake(
  options: SessionOptions,
  raw: Socket,
  source: TunnelSource,
  target: TunnelTarget,
): Promise<TLSSocket> {
  const { root, trustDomain, timeoutMs } = options
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer)
      raw.destroy()
      reject(new TunnelError('tls', `TLS handshake failed: ${reason}`))
    }
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    const secure = connectTls({
      socket: raw,
      ca: root,
      cert: source.certificate.certificate,
      key: source.certificate.key,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      // A workload's certificate names an identity and no host: what is checked is below.
      checkServerIdentity: () => undefined,
    })
    // Stays: whatever comes late must not end the process.
    secure.on('error', () => {})
    const broken = (error: Error) => fail(error.message)
    const closed = () => fail('the peer closed')
    secure.once('error', broken).once('close', closed)
    secure.once('secureConnect', () => {
      const peer = peerIdentity(secure, trustDomain)
      if ('refused' in peer) return fail(peer.refused)
      if (peer.identity !== target.identity)
        return fail(`identity verification error: peer is ${peer.identity}, expected ${target.identity}`)
      clearTimeout(timer)
      secure.off('error', broken).off('close', closed)
      resolve(secure)
    })
  })
}

/** A connection to a unix socket; also how a pod outside the mesh reaches one's raw HBONE port. */
export function dial(path: string, timeoutMs: number, allowHalfOpen: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path, allowHalfOpen })
    const fail = (reason: string) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new TunnelError('connect', reason))
    }
    const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs)
    // Stays: after the connect it only keeps a late error from ending the process.
    socket.on('error', (error: NodeJS.ErrnoException) => fail(`connection failed: ${error.code ?? error.message}`))
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(socket)
    })
  })
}
