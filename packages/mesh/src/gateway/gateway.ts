import type { Snapshot } from '@bulkhead/verdict'
import { type Incoming, ProxyPod, type ProxyTimeouts } from '../proxy/proxy-pod.js'
import { GatewayExchange, type GatewayParts } from './exchange.js'

/** A gateway's pod: a listener's port, policies, routes. */
export class Gateway extends ProxyPod {
  readonly #parts: GatewayParts

  constructor(parts: GatewayParts, timeouts: ProxyTimeouts = {}) {
    super(parts, timeouts)
    this.#parts = parts
    this.sync()
  }

  /** The listeners' ports that speak HTTP. */
  protected portsIn({ pods, gateways }: Snapshot): readonly number[] {
    const name = pods.get(this.#parts.key)?.gateway
    const listeners = name === undefined ? undefined : gateways.get(name)?.listeners
    return (listeners ?? []).filter(({ protocol }) => protocol === 'HTTP').map(({ port }) => port)
  }

  protected exchange(...asked: Incoming): GatewayExchange {
    return new GatewayExchange(this.#parts, ...asked)
  }
}
