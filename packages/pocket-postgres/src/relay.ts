import { connect, createServer, type Server, type Socket } from 'node:net'
import { systemCode } from './errors.js'

/** A connection whose other side is over is ended for it after this. */
const lingerMs = 5000
const retryMs = 20
const retries = 50

/** A server that passes each connection on to a unix socket, as it is. The caller says where it listens. */
export function createRelay(socketPath: string): Server {
  return createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => undefined)
    void dial(socketPath, client).then(
      (upstream) => join(client, upstream),
      () => client.resetAndDestroy(),
    )
  })
}

/** A full backlog is waited for, as a network would. */
async function dial(path: string, client: Socket): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    try {
      return await dialOnce(path)
    } catch (error) {
      if (systemCode(error) !== 'EAGAIN' || tries === retries || client.destroyed) throw error
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
}

function dialOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** Both ways, each at the pace of its reader; a half that ends ends the other's, and a reset is a reset on both. */
function join(client: Socket, upstream: Socket): void {
  upstream.on('error', () => undefined)
  if (client.destroyed) {
    upstream.destroy()
    return
  }
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to)
    from.once('error', () => reset(to))
    from.once('close', () => {
      // What it has sent is passed on still; what the other sends has no reader any more.
      if (to.closed) return
      to.end()
      const timer = setTimeout(() => to.destroy(), lingerMs).unref()
      to.once('close', () => clearTimeout(timer))
    })
  }
}

/** Over a unix socket there is no such thing as a reset; there it is the end. */
function reset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}
