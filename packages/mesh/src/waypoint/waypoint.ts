import type { ServerHttp2Stream } from 'node:http2'
import { readFirst } from '../first-bytes.js'
import type { Flow } from '../flows.js'
import type { Peer } from '../hbone-server.js'
import { ClientSocket } from '../http/client-socket.js'
import { Downstream } from '../http/downstream.js'
import { MAX_CONNECTIONS } from '../http/limits.js'
import { HBONE_PORT, parseAuthority, refuse, rejection } from '../inbound.js'
import { wrongTarget } from '../obstacles.js'
import { noHealthyUpstream } from '../proxy/answers.js'
import type { Connector } from '../proxy/connector.js'
import type { ExchangeParts } from '../proxy/exchange.js'
import { type Incoming, ProxyPod, type ProxyTimeouts } from '../proxy/proxy-pod.js'
import { behind } from '../proxy/upstream.js'
import { wayOn } from '../proxy/way.js'
import { carryRaw, type RawParts } from '../raw-hbone.js'
import type { Address } from '../seams.js'
import { appEnd, type End, resettable, splice } from '../splice.js'
import { Arrival, applicationOf } from './arrival.js'
import { WaypointExchange } from './exchange.js'
import { sniff } from './sniff.js'

export interface WaypointParts extends ExchangeParts {
  readonly connector: Connector
  readonly raw: RawParts
}

/**
 * A waypoint's pod: what comes to its port 15008 shows a certificate and says for whom it is; requests are judged one by one,
 * what is no HTTP once, and both go on as the waypoint's own.
 */
export class Waypoint extends ProxyPod {
  readonly #parts: WaypointParts
  readonly #arrivals = new Map<Downstream, Arrival>()
  /** What came by CONNECT and is not over: a connection's last bytes may still be on their way when its own end is. */
  readonly #tunnels = new Set<End>()

  constructor(parts: WaypointParts, timeouts: ProxyTimeouts = {}) {
    super(parts, timeouts)
    this.#parts = parts
    this.sync()
  }

  protected portsIn(): readonly number[] {
    return [HBONE_PORT]
  }

  protected override serves(downstream: Downstream): boolean {
    const arrival = this.#arrivals.get(downstream)
    if (arrival === undefined) return super.serves(downstream)
    return !this.leaving && arrival.to(this.#parts.context.policy().snapshot) !== undefined
  }

  protected override others(): readonly End[] {
    return [...this.#tunnels]
  }

  protected exchange(...asked: Incoming): WaypointExchange {
    const arrival = this.#arrivals.get(asked[0])
    if (arrival === undefined) throw new Error('a request at a waypoint that came by no tunnel')
    return new WaypointExchange(this.#parts, arrival, ...asked)
  }

  /** What dials port 15008 itself shows its certificate itself. */
  override async take(flow: Flow, port: number, from: Address, end: End): Promise<void> {
    const { context, key, raw } = this.#parts
    const pod = context.policy().snapshot.pods.get(key)
    const path = context.hbonePath(key)
    if (port !== HBONE_PORT || pod === undefined || path === undefined) return super.take(flow, port, from, end)
    const source = { ip: from.ip, ...(flow.source.pod !== undefined && { key: flow.source.pod }) }
    await carryRaw(raw, flow, { source, to: pod, path }, { local: from, remote: { ip: pod.ip, port } }, end)
  }

  override async tunnel(
    flow: Flow,
    stream: ServerHttp2Stream,
    authority: string,
    peer: Peer,
    counts: boolean,
  ): Promise<void> {
    const { context, key } = this.#parts
    const { snapshot } = context.policy()
    const target = parseAuthority(authority)
    const arrival = target && new Arrival(key, peer, target, context)
    const to = arrival?.to(snapshot)
    if (arrival === undefined || to === undefined) {
      const pod = snapshot.pods.get(key)
      if (pod !== undefined) flow.step(wrongTarget(pod, authority.slice(0, 100)))
      const error = `CONNECT ${JSON.stringify(authority.slice(0, 100))} came to waypoint ${key}, which does not serve that`
      flow.fail({ flag: 'ILLEGAL', symptom: 'reset', error })
      return refuse(stream, target === undefined ? 400 : 404)
    }
    if (this.leaving) {
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error: 'connection refused: the waypoint is on its way out' })
      return refuse(stream, 503)
    }
    if (this.#tunnels.size >= MAX_CONNECTIONS) {
      const error = `connection refused: the waypoint has ${MAX_CONNECTIONS} connections, and takes no more`
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error })
      return refuse(stream, 503)
    }
    if (stream.destroyed || stream.closed) return
    stream.respond({ ':status': 200 })
    flow.arrived()
    const tunnel = resettable(stream)
    this.#tunnels.add(tunnel)
    stream.once('close', () => this.#tunnels.delete(tunnel))
    const socket = new ClientSocket(stream)
    socket.on('error', () => {})
    const end = resettable(socket)
    const carries = applicationOf(to) ?? (await this.#sniff(socket))
    if (carries === 'http') await this.#http(flow, arrival, end)
    else if (carries === 'tcp') await this.#carry(flow, arrival, end)
    if (counts) {
      flow.bytesSent += socket.bytesRead
      flow.bytesReceived += socket.bytesWritten
    }
  }

  #sniff(socket: ClientSocket): Promise<'http' | 'tcp' | undefined> {
    const limitMs = this.#parts.context.firstBytesMs
    return readFirst(socket, { limitMs, read: sniff, silent: 'tcp' })
  }

  async #http(flow: Flow, arrival: Arrival, end: End): Promise<void> {
    const downstream = new Downstream(flow, HBONE_PORT, arrival.peer, end)
    this.#arrivals.set(downstream, arrival)
    try {
      await this.requests(downstream, end)
    } finally {
      this.#arrivals.delete(downstream)
    }
  }

  /** What carries no HTTP: judged once, and again whenever the policies change. */
  async #carry(flow: Flow, arrival: Arrival, end: End): Promise<void> {
    const { context, key } = this.#parts
    const { snapshot, generation } = context.policy()
    const waypoint = snapshot.pods.get(key)
    const verdict = waypoint && arrival.judge(waypoint, snapshot)
    if (verdict === undefined) return end.reset()
    flow.judged(verdict, generation)
    if (verdict.outcome !== 'allow') {
      const error = `connection closed due to policy rejection: ${rejection(verdict)}`
      flow.fail({ flag: 'DENY', symptom: 'reset', error })
      return end.reset()
    }
    const forget = context.connections.add({
      flow,
      pods: [key],
      judge: (now) => {
        const pod = now.pods.get(key)
        const again = pod && arrival.judge(pod, now)
        return again && [again]
      },
      close: () => end.reset(),
    })
    try {
      await this.#onward(flow, arrival, end)
    } finally {
      forget()
    }
  }

  async #onward(flow: Flow, arrival: Arrival, end: End): Promise<void> {
    const { context, key, connector } = this.#parts
    const { snapshot } = context.policy()
    const [waypoint, asked] = [snapshot.pods.get(key), arrival.to(snapshot)]
    if (waypoint === undefined || asked === undefined) return end.reset()
    const way = wayOn(waypoint, asked, this.#parts, snapshot)
    if ('step' in way) {
      const { error = '' } = noHealthyUpstream(way.service)
      flow.behind([{ ...way.step, hop: 1 }])
      flow.fail({ flag: 'NO_ENDPOINT', symptom: 'reset', error })
      return end.reset()
    }
    // The client's record tells of both hops.
    const { ready } = connector.open(way, (onward) => {
      flow.behind(behind(onward))
      const { failure } = onward
      if (failure !== undefined)
        flow.fail({ ...failure, symptom: failure.flag === 'NETWORK_POLICY' ? 'late-reset' : 'reset' })
    })
    const app = await ready.catch(() => undefined)
    if (app === undefined) return end.reset()
    if (end.stream.destroyed) return void app.destroy()
    await splice(end, appEnd(app))
  }
}
