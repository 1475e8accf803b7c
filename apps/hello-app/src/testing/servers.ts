import { once } from 'node:events'
import { type AddressInfo, createServer, type LookupFunction, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { cleanUp, type Scope } from '@bulkhead/testing'
import type { TestCa } from './certificates.js'

export interface TestServer {
  readonly port: number
  /** How many connections were taken so far. */
  readonly taken: () => number
  /** How many are open. */
  readonly open: () => number
  /** Ends those that are open. */
  readonly closeAll: () => void
}

/** A server of plain bytes on a free port of 127.0.0.1; everything that is open goes with the test. */
export async function tcpServer(t: Scope, onSocket: (socket: Socket, nth: number) => void): Promise<TestServer> {
  const sockets = new Set<Socket>()
  let taken = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    // A FIN is noticed only by who reads.
    socket.resume()
    onSocket(socket, taken++)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const closeAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  cleanUp(t, () => {
    closeAll()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, taken: () => taken, open: () => sockets.size, closeAll }
}

/** The same with TLS, under a name of the caller's choice. */
export async function tlsServer(
  t: Scope,
  certificate: Awaited<ReturnType<TestCa['issue']>>,
  onSocket: (socket: TLSSocket) => void,
): Promise<TestServer> {
  const inner = tlsOnly(certificate, onSocket)
  return tcpServer(t, (socket) => inner.emit('connection', socket.pause()))
}

/** The same as PostgreSQL does it: asked for in the clear, and then the handshake. */
export async function postgresTls(
  t: Scope,
  certificate: Awaited<ReturnType<TestCa['issue']>>,
  onSocket: (socket: TLSSocket) => void,
): Promise<TestServer> {
  const inner = tlsOnly(certificate, onSocket)
  return tcpServer(t, (socket) =>
    socket.once('data', () => {
      socket.pause()
      socket.write('S', () => inner.emit('connection', socket))
    }),
  )
}

function tlsOnly(certificate: Awaited<ReturnType<TestCa['issue']>>, onSocket: (socket: TLSSocket) => void): TlsServer {
  const inner = createTlsServer({ ...certificate, ALPNProtocols: ['http/1.1', 'postgresql'] }, (socket) => {
    socket.on('error', () => {})
    socket.resume()
    onSocket(socket)
  })
  inner.on('tlsClientError', () => {})
  return inner
}

/** Answers each request with these bytes, and closes. */
export const answering = (bytes: string) => (socket: Socket) => {
  socket.once('data', () => socket.end(bytes))
}

/** A port of 127.0.0.1 where nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A resolver that has every name at 127.0.0.1. */
export const here: LookupFunction = (_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}

/** A resolver that fails like this, after so long; without a code it never answers. */
export const failingLookup =
  (code: string | undefined, afterMs = 0): LookupFunction =>
  (name, _options, callback) => {
    if (code === undefined) return
    const error = Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code, syscall: 'getaddrinfo' })
    setTimeout(() => callback(error, ''), afterMs)
  }
