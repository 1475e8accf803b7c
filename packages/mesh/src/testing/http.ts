import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import type { Published } from '../types.js'
import { FRONT } from './fake-snapshot.js'
import type { Rig } from './harness.js'

/** An app that speaks HTTP in that pod. The fake capture hands its server the connections. */
export async function serve({ capture }: Rig, key: string, listener: RequestListener, port = 8080): Promise<Server> {
  const server = createServer(listener)
  await capture.app(key, port, (socket) => {
    server.emit('connection', socket)
    socket.resume()
  })
  return server
}

export const text = async (message: IncomingMessage): Promise<string> => {
  let read = ''
  for await (const chunk of message) read += String(chunk)
  return read
}

/** The front door, open until the test's end. */
export async function door(t: TestContext, { mesh }: Rig, run = 'run', port = 80): Promise<Published> {
  const opened = await mesh.publish(FRONT, port, { at: 0, run })
  cleanUp(t, () => opened.close())
  return opened
}

/** A raw connection to a port of this machine. */
export async function raw(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  cleanUp(t, () => socket.destroy())
  await once(socket, 'connect')
  return socket.on('error', () => {})
}

/** What comes back for bytes as they are, up to the end (or to a reset, which is told). */
export async function say(t: TestContext, port: number, bytes: string): Promise<string> {
  const socket = await raw(t, port).catch((error: { code?: string }) => {
    // Reset before we had even seen that it was open.
    if (error.code !== 'ECONNRESET') throw error
  })
  return socket === undefined ? '[reset]' : sayOn(socket, bytes)
}

/** The same, on a connection that is open. */
export async function sayOn(socket: Socket, bytes: string): Promise<string> {
  let read = ''
  socket.on('data', (chunk) => {
    read += chunk.toString('latin1')
  })
  socket.write(bytes, 'latin1')
  const reset = new Promise<string>((resolve) => socket.once('error', () => resolve(`${read}[reset]`)))
  const ended = once(socket, 'end').then(() => read)
  const all = await Promise.race([ended, reset])
  socket.destroy()
  return all
}
