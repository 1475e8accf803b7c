import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'

/** A TCP server on a free port that does one thing with each connection; gone with everything on it after the test. */
export async function tcpServer(t: TestContext, serve: (socket: Socket) => void): Promise<number> {
  return listen(t, createServer(serve))
}

/** Has any server listen on a free port of 127.0.0.1 for as long as the test lasts. */
export async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp(
    t,
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  )
  return (server.address() as AddressInfo).port
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Calls `then` once something of the request has arrived. */
export const onRequest =
  (then: (socket: Socket, request: Buffer) => void): ((socket: Socket) => void) =>
  (socket) =>
    void socket.once('data', (request: Buffer) => then(socket, request))
