import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Pod } from '@bulkhead/verdict'
import type { Client } from 'undici'
import type { Carrier, Packet } from '../carrier.js'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import type { HbonePool } from '../hbone-client.js'
import { TunnelError, type TunnelSource } from '../hbone-session.js'
import { ClientSocket } from '../http/client-socket.js'
import { pair } from '../http/pair.js'
import { join } from '../inbound.js'
import { tunnelFailed } from '../mesh-source.js'
import { nothingListens, unread } from '../obstacles.js'
import { ConnectionReset, type End, resettable } from '../splice.js'
import { Upstream, type Way } from './upstream.js'

/** Envoy's words for why there is no answer; its body to the client quotes them. */
export type ResetReason =
  | 'connection termination'
  | 'connection timeout'
  | 'protocol error'
  | 'remote connection failure'
  | 'overflow'

/** There is no connection. The flow says why. */
export class NoUpstream extends Error {
  readonly reason: ResetReason
  constructor(reason: ResetReason, cause?: unknown) {
    super(reason, { cause })
    this.reason = reason
  }
}

export interface UpstreamParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly pool: HbonePool
  /** undici's Client. */
  readonly client: typeof Client
  readonly tunnelSource: (pod: Pod) => Promise<TunnelSource | undefined>
  readonly identity: (pod: Pod) => string | undefined
  /** A connection to what listens in a pod, as it is. */
  readonly dialPod: (pod: Pod, port: number, from: Pod, flow: Flow) => Promise<Duplex>
}

/** A connection on its way. Its flow is there from the start, for the record of a request that gives up meanwhile. */
export interface Attempt {
  readonly flow: Flow
  /** Rejects with NoUpstream. */
  readonly ready: Promise<Upstream>
}

/**
 * A gateway's connections to what is behind it. They are kept between requests, for the same pod and port of the same
 * Service (which decides over waypoints), and no longer than the policies let them.
 */
export class Upstreams {
  readonly #parts: UpstreamParts
  readonly #idle = new Map<string, Upstream[]>()
  readonly #open = new Set<Upstream>()
  #closed = false

  constructor(parts: UpstreamParts) {
    this.#parts = parts
  }

  /** One that is open already, the last used first. */
  take(way: Way): Upstream | undefined {
    const idle = this.#idle.get(nameOf(way))
    for (let found = idle?.pop(); found !== undefined; found = idle?.pop()) {
      if (found.usable && this.#stillThatWay(found, way)) return found
      found.close()
    }
    return undefined
  }

  /** To be called when its request is over, and nothing is left of it on the connection. */
  giveBack(upstream: Upstream) {
    if (this.#closed || !upstream.usable || upstream.old) return upstream.close()
    const name = nameOf(upstream.way)
    const idle = this.#idle.get(name)
    if (idle === undefined) this.#idle.set(name, [upstream])
    else idle.push(upstream)
  }

  open(way: Way): Attempt {
    const { context, identity } = this.#parts
    const { gateway, pod, port, service } = way
    const as = identity(gateway)
    const flow = context.flows.start({
      generation: context.policy().generation,
      source: {
        workload: gateway.workload,
        pod: gateway.key,
        ...(as !== undefined && { identity: as }),
        ip: gateway.ip,
      },
      destination: { workload: pod.workload, pod: pod.key, service: service.key, ip: pod.ip, port },
      protocol: 'TCP',
      transport: 'plaintext',
    })
    flow.approaches(pod.key)
    const ready = this.#connect(way, flow).catch((error: unknown) => {
      if (!(error instanceof NoUpstream)) {
        context.log?.error({ err: error, gateway: gateway.key, pod: pod.key }, 'a gateway could not connect')
        flow.fail({ flag: 'CONNECT', symptom: 'reset', error: String(error) })
      }
      flow.end()
      throw error instanceof NoUpstream ? error : new NoUpstream('remote connection failure', error)
    })
    // Whoever asked may have gone.
    ready.catch(() => {})
    return { flow, ready }
  }

  close(): void {
    this.#closed = true
    for (const upstream of this.#open) upstream.close()
  }

  async #connect(way: Way, flow: Flow): Promise<Upstream> {
    const { context, carrier } = this.#parts
    const { gateway, pod, port, service } = way
    const { snapshot } = context.policy()
    const next = context.nextHop({ source: gateway, destination: pod, port, service }, snapshot)
    flow.transport = next.transport
    const packet = { source: gateway, to: pod, port: next.tuple.port }
    const hbone = next.transport === 'hbone'
    const word = carrier.word(flow, packet)
    const lists = word.reads === 'http' && !hbone && context.listening(pod.key).includes(port)
    if (!word.passes || (word.reads !== undefined && !lists && !carrier.passes(flow, packet))) {
      const maybe = hbone ? ', maybe a NetworkPolicy is blocking HBONE port 15008' : ''
      flow.fail({ flag: 'NETWORK_POLICY', symptom: 'timeout', error: `connection timed out${maybe}` })
      await delay(context.connectTimeoutMs, undefined, { ref: false })
      throw new NoUpstream('connection timeout')
    }
    if (next.unread !== undefined) {
      flow.step(unread(next.unread))
      const error = `refused: ${next.unread.what} is on the way, and is not modelled here`
      flow.fail({ flag: 'DENY', symptom: 'reset', error })
      throw new NoUpstream('remote connection failure')
    }
    let socket: Duplex | undefined
    const cut = () => void socket?.destroy(new ConnectionReset())
    // Where requests are listed, whoever reads them watches.
    const forget = lists ? () => {} : carrier.watch(flow, packet, cut)
    if (forget === undefined) throw new NoUpstream('connection termination')
    const name: { correlation?: string } = {}
    const over = () => {
      forget()
      if (name.correlation !== undefined) context.inFlight.delete(name.correlation)
    }
    try {
      if (hbone) socket = await this.#tunnel(way, flow, name)
      else socket = lists ? this.#filtered(way, flow, packet) : await this.#plain(way, flow)
      // Denied, or its pod gone, while it was opened.
      if (flow.failure !== undefined || this.#closed) {
        socket.on('error', () => {}).destroy()
        throw new NoUpstream('connection termination')
      }
    } catch (error) {
      over()
      throw error
    }
    flow.arrived()
    return this.#keep(new Upstream(this.#parts.client, context.policy().generation, way, flow, socket), socket, over)
  }

  async #tunnel({ gateway, pod, port }: Way, flow: Flow, name: { correlation?: string }): Promise<Duplex> {
    const { context, pool, tunnelSource } = this.#parts
    try {
      const from = await tunnelSource(gateway)
      if (from === undefined) throw new TunnelError('connect', 'the gateway has no certificate')
      const target = { key: pod.key, ip: pod.ip, identity: pod.identity, path: context.hbonePath(pod.key) }
      const stream = await pool.connect(from, target, port, (correlation) => {
        if (name.correlation !== undefined) context.inFlight.delete(name.correlation)
        name.correlation = correlation
        context.inFlight.set(correlation, flow)
      })
      return new ClientSocket(stream)
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      tunnelFailed(flow, pod, error)
      const answered = error.kind === 'status' || error.kind === 'reset'
      throw new NoUpstream(answered ? 'connection termination' : 'remote connection failure', error)
    }
  }

  async #plain({ gateway, pod, port }: Way, flow: Flow): Promise<Duplex> {
    const { context, dialPod } = this.#parts
    if (pod.mesh) throw new Error(`a gateway speaks HBONE to ${pod.key}, which is captured, and was told not to`)
    try {
      return await dialPod(pod, port, gateway, flow)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      flow.step(nothingListens(pod.workload, port, context.listening(pod.key)))
      flow.fail({ flag: 'CONNECT', symptom: 'refused', error: `nothing listens on port ${port} (${code})` })
      throw new NoUpstream('remote connection failure', error)
    }
  }

  /** Through the proxy that a network policy puts there for the requests that it lists. */
  #filtered(way: Way, flow: Flow, packet: Packet): Duplex {
    const [near, far] = pair()
    const onward = async (carried: Flow, end: End) => join(carried, end, await this.#plain(way, carried))
    this.#parts.carrier
      .eachRequest(flow, packet, resettable(far.on('error', () => {})), onward)
      .catch((err: unknown) =>
        this.#parts.context.log?.error({ err }, 'a connection of a gateway could not be carried'),
      )
      .finally(() => far.destroy())
    return new ClientSocket(near)
  }

  #keep(upstream: Upstream, socket: Duplex, over: () => void): Upstream {
    const { flow } = upstream
    this.#open.add(upstream)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' && bytesOf(socket).received === 0)
        flow.fail({ flag: '-', symptom: 'reset', error: 'connection reset by the application' })
    })
    socket.once('close', () => {
      over()
      this.#open.delete(upstream)
      const { sent, received } = bytesOf(socket)
      flow.bytesSent = sent
      flow.bytesReceived = received
      flow.end()
    })
    return upstream
  }

  /** Policies that have changed may take the same way by other means: through a waypoint, or no longer through the mesh. */
  #stillThatWay(upstream: Upstream, { gateway, pod, port, service }: Way): boolean {
    const { context } = this.#parts
    const { snapshot, generation } = context.policy()
    if (upstream.generation === generation) return true
    upstream.generation = generation
    const next = context.nextHop({ source: gateway, destination: pod, port, service }, snapshot)
    if (next.waypoint !== undefined || next.unread !== undefined || next.transport !== upstream.transport) return false
    return pod.ip === upstream.way.pod.ip && gateway.identity === upstream.way.gateway.identity
  }
}

const nameOf = ({ pod, port, service }: Way): string => `${service.key} ${pod.key} ${port}`

const bytesOf = (socket: Duplex): { sent: number; received: number } => ({
  sent: 'bytesWritten' in socket && typeof socket.bytesWritten === 'number' ? socket.bytesWritten : 0,
  received: 'bytesRead' in socket && typeof socket.bytesRead === 'number' ? socket.bytesRead : 0,
})
