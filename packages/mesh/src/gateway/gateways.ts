import type { Duplex } from 'node:stream'
import type { Pod } from '@bulkhead/verdict'
import type { Carrier } from '../carrier.js'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import type { HbonePool } from '../hbone-client.js'
import type { TunnelSource } from '../hbone-session.js'
import { pair } from '../http/pair.js'
import type { Endpoints } from '../route.js'
import type { Address } from '../seams.js'
import { resettable } from '../splice.js'
import { Gateway, type GatewayTimeouts } from './gateway.js'
import { Upstreams } from './upstreams.js'

export interface GatewaysParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly endpoints: Endpoints
  readonly pool: HbonePool
  readonly tunnelSource: (pod: Pod) => Promise<TunnelSource | undefined>
  readonly identity: (pod: Pod) => string | undefined
  readonly random: (() => number) | undefined
  readonly timeouts: GatewayTimeouts | undefined
}

/** The gateway pods that are up. No process plays them: the mesh does. */
export class Gateways {
  readonly #parts: GatewaysParts
  readonly #gateways = new Map<string, Gateway>()

  constructor(parts: GatewaysParts) {
    this.#parts = parts
  }

  get(key: string): Gateway | undefined {
    return this.#gateways.get(key)
  }

  async add(pod: Pod): Promise<void> {
    const { context, carrier, endpoints, pool, tunnelSource, identity, random = Math.random, timeouts } = this.#parts
    // Loaded where there is a gateway, and only there.
    const { Client } = await import('undici')
    const dialPod = (to: Pod, port: number, from: Pod) =>
      this.dial(to.key, port, { ip: from.ip, port: context.sourcePort() }, from)
    const upstreams = new Upstreams({ context, carrier, pool, client: Client, tunnelSource, identity, dialPod })
    this.#gateways.set(pod.key, new Gateway({ context, endpoints, upstreams, key: pod.key, random }, timeouts))
  }

  async remove(key: string): Promise<void> {
    const gateway = this.#gateways.get(key)
    await gateway?.drain()
    this.#gateways.delete(key)
  }

  sync(): void {
    for (const gateway of this.#gateways.values()) gateway.sync()
  }

  /** A connection to what listens in a pod, be it an app or a gateway. Rejects with a code. */
  async dial(key: string, port: number, from: Address, source?: Pod): Promise<Duplex> {
    const { context } = this.#parts
    const gateway = this.#gateways.get(key)
    if (gateway === undefined) return context.capture().dialApp(key, port, from)
    if (!gateway.ports.includes(port))
      throw Object.assign(new Error(`connect ECONNREFUSED ${key}:${port}`), { code: 'ECONNREFUSED' })
    const [near, far] = pair()
    const flow = this.#flow(key, port, from, source)
    void gateway.take(flow, port, from, resettable(far)).finally(() => flow.drop())
    return near
  }

  /** Of a connection that a gateway takes and somebody else tells of: its requests' records need its ends. */
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
