import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { outsideAddress } from '@bulkhead/verdict'
import type { Context } from '../context.js'
import { DROPPED_MS, MAX_CONNECTIONS } from '../http/limits.js'
import type { NetworkSource } from '../network-source.js'
import { type DeadRoute, type Endpoints, type PodRoute, routeToService } from '../route.js'
import type { Published } from '../types.js'

export interface DoorParts {
  readonly context: Context
  readonly endpoints: Endpoints
  readonly fromNetwork: NetworkSource
}

export interface DoorOptions {
  readonly at: number
  readonly run?: string
}

/** Ports of this machine that lead into the cluster, as a NodePort does: a caller from outside comes to a Service. */
export class Doors {
  readonly #parts: DoorParts
  readonly #open = new Set<Published>()

  constructor(parts: DoorParts) {
    this.#parts = parts
  }

  async publish(service: string, servicePort: number, { at, run }: DoorOptions): Promise<Published> {
    const { snapshot } = this.#parts.context.policy()
    const ports = snapshot.services.get(service)?.ports.filter(({ protocol }) => protocol === 'TCP')
    if (ports === undefined) throw new Error(`no Service ${JSON.stringify(service)} in the snapshot`)
    if (!ports.some(({ port }) => port === servicePort)) {
      const has = ports.map(({ port }) => port).join(', ') || 'none'
      throw new Error(`Service ${service} has no TCP port ${servicePort} (it has ${has})`)
    }
    const sockets = new Set<Socket>()
    // Paused: not a byte is read before the network has said that it lets the connection in.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).once('close', () => sockets.delete(socket))
      this.#enter(socket, service, servicePort, run)
    })
    server.maxConnections = MAX_CONNECTIONS
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const door: Published = {
      port: typeof address === 'object' && address !== null ? address.port : at,
      close: async () => {
        this.#open.delete(door)
        const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
        for (const socket of sockets) reset(socket)
        await closed
      },
    }
    server.on('error', (err) => this.#parts.context.log?.error({ err, service }, 'a published port cannot accept'))
    this.#open.add(door)
    return door
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((door) => door.close()))
  }

  #enter(socket: Socket, key: string, port: number, run: string | undefined) {
    const { context, endpoints, fromNetwork } = this.#parts
    const { snapshot, generation } = context.policy()
    const service = snapshot.services.get(key)
    if (service === undefined) return reset(socket)
    const route: PodRoute | DeadRoute | undefined = routeToService(snapshot, service, port, endpoints)
    if (route === undefined) return reset(socket)
    const local = { ip: outsideAddress, port: context.sourcePort() }
    const pod = route.kind === 'pod' ? route.pod : undefined
    const flow = context.flows.start({
      generation,
      source: { ip: outsideAddress },
      destination: {
        ...(pod && { workload: pod.workload, pod: pod.key }),
        service: key,
        ...(pod && { ip: pod.ip }),
        port: route.kind === 'pod' ? route.port : port,
      },
      protocol: 'TCP',
      transport: 'plaintext',
      run,
    })
    if (pod !== undefined) flow.approaches(pod.key)
    const answer = fromNetwork.dial(flow, { ip: outsideAddress }, route, { remote: route.remote, local })
    if (answer.kind === 'accept') return answer.carry({ stream: socket, reset: () => reset(socket) })
    if (answer.kind === 'error') return reset(socket)
    // Nothing answers. The kernel of this machine has, before anybody could ask, so the silence begins here.
    const timer = setTimeout(() => reset(socket), DROPPED_MS).unref()
    socket.once('close', () => clearTimeout(timer)).resume()
  }
}

/**
 * libuv cannot reset a socket while its end is on the way, and Node then leaves the handle open for good: there the end is
 * all that its peer can be told.
 */
function reset(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
