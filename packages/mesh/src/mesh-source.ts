import { type NextHop, type Pod, type WaypointHop, walkedPast } from '@bulkhead/verdict'
import type { Carrier, Ends, Word } from './carrier.js'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import type { HbonePool } from './hbone-client.js'
import { TunnelError, type TunnelSource } from './hbone-session.js'
import { cutByApp, HBONE_PORT, type Inbound, ZTUNNEL_PORTS } from './inbound.js'
import {
  noEndpoint,
  noSuchPort,
  nothingListens,
  noWaypoint,
  refusedCertificate,
  unreachable,
  unreadProxy,
} from './obstacles.js'
import { waypointPod } from './proxy/way.js'
import { type DeadRoute, type Endpoints, nextHopOn, type PodRoute } from './route.js'
import type { Address, ClientEnd, DialAnswer } from './seams.js'
import { type End, resettable, splice } from './splice.js'

export interface MeshSourceParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly inbound: Inbound
  readonly endpoints: Endpoints
  readonly pool: HbonePool
  /** Undefined for a pod whose certificate is not there (yet, or any more). */
  readonly tunnelSource: (pod: Pod) => Promise<TunnelSource | undefined>
}

/**
 * The source's side of the proxy, for a pod in the mesh. It takes every connection first and sees then, so whatever
 * fails is a reset after a connect that succeeded. Nothing is authorised here but by the network.
 */
export class MeshSource {
  readonly #parts: MeshSourceParts

  constructor(parts: MeshSourceParts) {
    this.#parts = parts
  }

  dial(flow: Flow, source: Pod, route: PodRoute | DeadRoute, ends: Ends): DialAnswer {
    const { context, carrier } = this.#parts
    if (route.kind === 'pod' && route.pod.mesh && ZTUNNEL_PORTS.includes(route.port))
      return carrier.illegal(flow, ends, route.pod.workload)
    const next = nextHopOn(context, source, route, context.policy().snapshot)
    // Which of its pods a Service's waypoint takes is not known yet.
    const pods = route.kind === 'pod' && next.waypoint === undefined ? [source.key, route.pod.key] : [source.key]
    return carrier.accept(flow, pods, ends, (client) => this.#carry(flow, source, route, ends, client))
  }

  /** As all is labelled now, not when the connect was answered. */
  async #carry(flow: Flow, from: Pod, route: PodRoute | DeadRoute, ends: Ends, client: ClientEnd): Promise<void> {
    const { context } = this.#parts
    const { snapshot } = context.policy()
    const source = snapshot.pods.get(from.key)
    const pod = route.kind === 'pod' ? snapshot.pods.get(route.pod.key) : undefined
    if (source === undefined || (route.kind === 'pod' && pod === undefined)) return client.reset()
    const now = pod === undefined ? route : { ...route, pod }
    const next = nextHopOn(context, source, now, snapshot)
    if (next.past !== undefined) flow.goesPast(walkedPast(next.past, snapshot))
    if (next.unread !== undefined) return this.#unread(flow, next.unread, client)
    if (next.waypoint !== undefined && (now.kind === 'pod' || now.kind === 'no-endpoint'))
      return this.#toWaypoint(flow, source, next.waypoint, client)
    if (now.kind !== 'pod') return this.#nowhere(flow, source, now, client)
    return this.#toPod(flow, source, now, next, ends, client)
  }

  async #toPod(
    flow: Flow,
    source: Pod,
    { pod, port }: PodRoute,
    { tuple, transport }: NextHop,
    ends: Ends,
    client: ClientEnd,
  ): Promise<void> {
    const { carrier, inbound } = this.#parts
    // What really leaves the pod: 15008 to a mesh peer, whatever port the app asked for.
    const packet = { source, to: pod, port: tuple.port }
    const hbone = transport === 'hbone'
    // What goes through a tunnel cannot be read on its way.
    const word: Word = hbone ? { passes: carrier.passes(flow, packet) } : carrier.word(flow, packet)
    if (!word.passes) return this.#dropped(flow, packet.port, client)
    await carrier.through(flow, packet, word.reads, client, (carried, end) =>
      hbone
        ? this.#tunnel(carried, source, pod, { ip: pod.ip, port }, end)
        : inbound.deliver(carried, pod.key, port, ends.local, end),
    )
  }

  /** The waypoint finds out which pod it goes to, and whether there is one. */
  async #toWaypoint(flow: Flow, source: Pod, { key, target }: WaypointHop, client: ClientEnd): Promise<void> {
    const { context, carrier, endpoints } = this.#parts
    const { snapshot } = context.policy()
    const { pod: _pod, ip: _ip, ...called } = flow.destination
    flow.destination = { ...called, ip: target.ip, port: target.port }
    flow.transport = 'hbone'
    const waypoint = waypointPod(key, endpoints, snapshot)
    if (waypoint === undefined) {
      flow.step(noWaypoint(key, snapshot))
      const error = `no healthy upstream: waypoint ${key} has no ready pod`
      flow.fail({ flag: 'NO_ENDPOINT', symptom: 'reset', error })
      return client.reset()
    }
    flow.approaches(waypoint.key)
    const packet = { source, to: waypoint, port: HBONE_PORT }
    if (!carrier.passes(flow, packet)) return this.#dropped(flow, HBONE_PORT, client)
    await carrier.through(flow, packet, undefined, client, (carried, end) =>
      this.#tunnel(carried, source, waypoint, target, end),
    )
  }

  /** What is not modelled is not let through. */
  #unread(flow: Flow, found: NonNullable<NextHop['unread']>, client: ClientEnd): void {
    flow.step(unreadProxy(found))
    const error = `refused: ${found.what} is on the way, and is not modelled here`
    flow.fail({ flag: 'DENY', symptom: 'reset', error })
    client.reset()
  }

  #dropped(flow: Flow, port: number, client: ClientEnd): Promise<void> {
    const maybe = port === HBONE_PORT ? ', maybe a NetworkPolicy is blocking HBONE port 15008' : ''
    const failure = { flag: 'NETWORK_POLICY', error: `connection timed out${maybe}` } as const
    return this.#parts.carrier.giveUp(flow, client, failure)
  }

  async #nowhere(flow: Flow, source: Pod, route: DeadRoute, client: ClientEnd): Promise<void> {
    const { carrier } = this.#parts
    const { ip, port } = route.remote
    if (route.kind === 'unreachable') {
      // To a Service without an endpoint no packet leaves.
      if (!carrier.passes(flow, { source, to: { ip }, port })) return this.#dropped(flow, port, client)
      flow.step(unreachable(ip))
      return carrier.giveUp(flow, client, { flag: 'CONNECT', error: `connection timed out: no route to host ${ip}` })
    }
    if (route.kind === 'no-endpoint') {
      flow.step(noEndpoint(route.service))
      flow.fail({
        flag: 'NO_ENDPOINT',
        symptom: 'reset',
        error: `no healthy upstream: ${route.service} has no ready pod`,
      })
    } else {
      flow.step(noSuchPort(route))
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error: `Service ${route.service} has no port ${port}` })
    }
    client.reset()
  }

  async #tunnel(flow: Flow, source: Pod, pod: Pod, to: Address, client: End): Promise<void> {
    const { context, pool, tunnelSource } = this.#parts
    const { inFlight, hbonePath } = context
    let correlation = ''
    try {
      const from = await tunnelSource(source)
      if (from === undefined) throw new TunnelError('connect', 'the source pod has no certificate')
      const target = { key: pod.key, ip: pod.ip, identity: pod.identity, path: hbonePath(pod.key) }
      const stream = await pool.connect(from, target, to, (name) => {
        inFlight.delete(correlation)
        correlation = name
        inFlight.set(name, flow)
      })
      if (client.stream.destroyed) return void stream.destroy(new Error('the client has gone'))
      const { cut } = await splice(client, resettable(stream), (sent, received) => {
        flow.bytesSent += sent
        flow.bytesReceived += received
      })
      cutByApp(flow, cut)
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      tunnelFailed(flow, pod, error)
      client.reset()
    } finally {
      inFlight.delete(correlation)
    }
  }
}

/** What the source knows of a failure; where the destination gave its reason, that stands in the record already. */
export function tunnelFailed(flow: Flow, pod: Pod, error: TunnelError): void {
  if (flow.failure !== undefined) return
  // One of the two ends refused the other's certificate.
  if (error.kind === 'tls') flow.step(refusedCertificate(pod, 'other-domain'))
  if (error.kind === 'connect') flow.step(nothingListens(pod.workload, HBONE_PORT, []))
  const flag = error.kind === 'tls' ? 'TLS_FAILURE' : error.status === 401 ? 'DENY' : 'CONNECT'
  flow.fail({ flag, symptom: 'reset', error: error.message })
}
