import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type Pod, walkedPast } from '@bulkhead/verdict'
import type { Carrier, Packet } from '../carrier.js'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import type { HbonePool } from '../hbone-client.js'
import { TunnelError, type TunnelSource } from '../hbone-session.js'
import { ClientSocket } from '../http/client-socket.js'
import { pair } from '../http/pair.js'
import { join } from '../inbound.js'
import { tunnelFailed } from '../mesh-source.js'
import { nothingListens, unreadProxy } from '../obstacles.js'
import { ConnectionReset, type End, resettable } from '../splice.js'
import type { Way } from './way.js'

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

export interface ConnectorParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly pool: HbonePool
  readonly tunnelSource: (pod: Pod) => Promise<TunnelSource | undefined>
  readonly identity: (pod: Pod) => string | undefined
  /** A connection to what listens in a pod, as it is. */
  readonly dialPod: (pod: Pod, port: number, from: Pod, flow: Flow) => Promise<Duplex>
}

/** A connection on its way. Its flow is there from the start, for the record of a request that gives up meanwhile. */
export interface Attempt<T> {
  readonly flow: Flow
  /** Rejects with NoUpstream. */
  readonly ready: Promise<T>
}

/** The connections that a proxy opens itself: judged as any pod's are, when they are opened and whenever the policies change. */
export class Connector {
  readonly #parts: ConnectorParts
  readonly #open = new Set<Duplex>()
  #closed = false

  constructor(parts: ConnectorParts) {
    this.#parts = parts
  }

  /** `changed`: the flow has more to say, from its beginning on. */
  open(way: Way, changed?: (flow: Flow) => void): Attempt<Duplex> {
    const { context, identity } = this.#parts
    const { from, pod, port, service } = way
    const as = identity(from)
    const flow = context.flows.start({
      generation: context.policy().generation,
      source: {
        workload: from.workload,
        pod: from.key,
        ...(as !== undefined && { identity: as }),
        ip: from.ip,
      },
      destination: { workload: pod.workload, pod: pod.key, ...(service && { service: service.key }), ip: pod.ip, port },
      protocol: 'TCP',
      transport: way.hop.transport,
      proxied: true,
    })
    if (changed !== undefined) flow.changed = () => changed(flow)
    flow.approaches(pod.key)
    const ready = this.#connect(way, flow).catch((error: unknown) => {
      if (!(error instanceof NoUpstream)) {
        context.log?.error({ err: error, proxy: from.key, pod: pod.key }, 'a proxy could not connect')
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
    for (const socket of this.#open) socket.destroy()
  }

  async #connect(way: Way, flow: Flow): Promise<Duplex> {
    const { context, carrier } = this.#parts
    const { from, pod, port, hop } = way
    const packet = { source: from, to: pod, port: hop.tuple.port }
    const hbone = hop.transport === 'hbone'
    if (hop.past !== undefined) flow.goesPast(walkedPast(hop.past, context.policy().snapshot))
    if (hop.unread !== undefined) {
      flow.step(unreadProxy(hop.unread))
      const error = `refused: ${hop.unread.what} is on the way, and is not modelled here`
      flow.fail({ flag: 'DENY', symptom: 'reset', error })
      throw new NoUpstream('remote connection failure')
    }
    const word = carrier.word(flow, packet)
    const lists = word.reads === 'http' && !hbone && context.listening(pod.key).includes(port)
    if (!word.passes || (word.reads !== undefined && !lists && !carrier.passes(flow, packet))) {
      const maybe = hbone ? ', maybe a NetworkPolicy is blocking HBONE port 15008' : ''
      flow.fail({ flag: 'NETWORK_POLICY', symptom: 'timeout', error: `connection timed out${maybe}` })
      await delay(context.connectTimeoutMs, undefined, { ref: false })
      throw new NoUpstream('connection timeout')
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
    return this.#keep(flow, socket, over)
  }

  async #tunnel({ from, pod, port, hop }: Way, flow: Flow, name: { correlation?: string }): Promise<Duplex> {
    const { context, pool, tunnelSource } = this.#parts
    try {
      const source = await tunnelSource(from)
      if (source === undefined) throw new TunnelError('connect', 'the proxy has no certificate')
      const target = { key: pod.key, ip: pod.ip, identity: pod.identity, path: context.hbonePath(pod.key) }
      const stream = await pool.connect(source, target, hop.waypoint?.target ?? { ip: pod.ip, port }, (correlation) => {
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

  async #plain({ from, pod, port }: Way, flow: Flow): Promise<Duplex> {
    const { context, dialPod } = this.#parts
    if (pod.mesh) throw new Error(`a proxy speaks HBONE to ${pod.key}, which is captured, and was told not to`)
    try {
      return await dialPod(pod, port, from, flow)
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
      .catch((err: unknown) => this.#parts.context.log?.error({ err }, 'a connection of a proxy could not be carried'))
      .finally(() => far.destroy())
    return new ClientSocket(near)
  }

  #keep(flow: Flow, socket: Duplex, over: () => void): Duplex {
    this.#open.add(socket)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' && bytesOf(socket).received === 0)
        flow.fail({ flag: '-', symptom: 'reset', error: 'connection reset by the application' })
    })
    socket.once('close', () => {
      over()
      this.#open.delete(socket)
      const { sent, received } = bytesOf(socket)
      flow.bytesSent = sent
      flow.bytesReceived = received
      flow.end()
    })
    return socket
  }
}

const bytesOf = (socket: Duplex): { sent: number; received: number } => ({
  sent: 'bytesWritten' in socket && typeof socket.bytesWritten === 'number' ? socket.bytesWritten : 0,
  received: 'bytesRead' in socket && typeof socket.bytesRead === 'number' ? socket.bytesRead : 0,
})
