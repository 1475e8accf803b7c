import type { Duplex } from 'node:stream'
import type { Pod } from '@bulkhead/verdict'
import type { Carrier } from '../carrier.js'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import { Gateway } from '../gateway/gateway.js'
import type { HbonePool } from '../hbone-client.js'
import type { TunnelSource } from '../hbone-session.js'
import { pair } from '../http/pair.js'
import type { Endpoints } from '../route.js'
import type { Address } from '../seams.js'
import { resettable } from '../splice.js'
import { Waypoint } from '../waypoint/waypoint.js'
import { Connector } from './connector.js'
import type { ProxyPod, ProxyTimeouts } from './proxy-pod.js'
import { Upstreams } from './upstreams.js'

export interface ProxiesParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly endpoints: Endpoints
  readonly pool: HbonePool
  readonly tunnelSource: (pod: Pod) => Promise<TunnelSource | undefined>
  readonly identity: (pod: Pod) => string | undefined
  readonly random: (() => number) | undefined
  readonly timeouts: ProxyTimeouts | undefined
  readonly token: Buffer
}

/** The pods of gateways and waypoints that are up. No process plays them: the mesh does. */
export class Proxies {
  readonly #parts: ProxiesParts
  readonly #proxies = new Map<string, ProxyPod>()

  constructor(parts: ProxiesParts) {
    this.#parts = parts
  }

  get(key: string): ProxyPod | undefined {
    return this.#proxies.get(key)
  }

  async add(pod: Pod): Promise<void> {
    if (pod.gateway === undefined && pod.waypoint === undefined) return
    const {
      context,
      carrier,
      endpoints,
      pool,
      tunnelSource,
      identity,
      random = Math.random,
      timeouts,
      token,
    } = this.#parts
    // Loaded where there is a proxy, and only there.
    const { Client } = await import('undici')
    const dialPod = (to: Pod, port: number, from: Pod) =>
      this.dial(to.key, port, { ip: from.ip, port: context.sourcePort() }, from)
    const connector = new Connector({ context, carrier, pool, tunnelSource, identity, dialPod })
    const upstreams = new Upstreams({ connector, client: Client })
    const { key } = pod
    const parts = { context, endpoints, upstreams, key }
    const proxy =
      pod.gateway === undefined
        ? new Waypoint({ ...parts, connector, raw: { context, carrier, token } }, timeouts)
        : new Gateway({ ...parts, random }, timeouts)
    this.#proxies.set(key, proxy)
  }

  async remove(key: string): Promise<void> {
    await this.#proxies.get(key)?.drain()
    this.#proxies.delete(key)
  }

  sync(): void {
    for (const proxy of this.#proxies.values()) proxy.sync()
  }

  /** A connection to what listens in a pod, be it an app or a proxy. Rejects with a code. */
  async dial(key: string, port: number, from: Address, source?: Pod): Promise<Duplex> {
    const { context } = this.#parts
    const proxy = this.#proxies.get(key)
    if (proxy === undefined) return context.capture().dialApp(key, port, from)
    if (!proxy.ports.includes(port))
      throw Object.assign(new Error(`connect ECONNREFUSED ${key}:${port}`), { code: 'ECONNREFUSED' })
    const [near, far] = pair()
    const flow = this.#flow(key, port, from, source)
    void proxy
      .take(flow, port, from, resettable(far))
      .catch((err: unknown) => {
        context.log?.error({ err, pod: key }, 'a connection could not be served')
        far.destroy()
      })
      .finally(() => flow.drop())
    return near
  }

  /** Of a connection that a proxy takes and somebody else tells of: its requests' records need its ends. */
  #flow(key: string, port: number, { ip }: Address, source: Pod | undefined): Flow {
    const { context } = this.#parts
    const { snapshot, generation } = context.policy()
    const pod = snapshot.pods.get(key)
    return context.flows.start({
      generation,
      source: { ...(source && { workload: source.workload, pod: source.key }), ip },
      destination: { ...(pod && { workload: pod.workload, ip: pod.ip }), pod: key, port },
      protocol: 'TCP',
      transport: 'plaintext',
    })
  }
}
