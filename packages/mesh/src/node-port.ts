import { hostOf, type NodeModel, type Pod } from '@bulkhead/verdict'
import { type Carrier, type Ends, type Packet, podsOf, type Word } from './carrier.js'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import type { Inbound } from './inbound.js'
import { noEndpoint } from './obstacles.js'
import type { Onward } from './requests/behind.js'
import type { DeadRoute, PodRoute } from './route.js'
import type { Address, DialAnswer } from './seams.js'
import type { End } from './splice.js'

/** A node, and its port, that a pod dialled to come to a Service. */
export interface Via {
  readonly node: NodeModel
  readonly port: number
}

export interface NodePortParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly inbound: Inbound
}

/**
 * Connections of pods to a node's port of a Service: one packet to the node, and another from the node to the Service's
 * pod, as kube-proxy sends it on. The pod's proxy knows no Service by a node's address, so all is plaintext.
 */
export class NodePorts {
  readonly #parts: NodePortParts

  constructor(parts: NodePortParts) {
    this.#parts = parts
  }

  dial(flow: Flow, source: Pod, route: PodRoute | DeadRoute, via: Via, ends: Ends): DialAnswer {
    const { context, carrier, inbound } = this.#parts
    const packets = packetsOf(source, route, via)
    const pods = podsOf(...packets.flatMap((packet) => [packet.source, packet.to]))
    const from = { ip: via.node.ip, port: context.sourcePort() }
    // Its proxy takes the connection first, and sees then.
    if (source.mesh) {
      return carrier.accept(flow, pods, ends, (client) =>
        this.#pass(flow, client, packets, [], (carried, end) => this.#deliver(carried, route, from, end)),
      )
    }
    const words: Word[] = []
    // After a no nothing more is sent, and so nothing more is asked.
    for (const packet of packets) if (words.at(-1)?.passes !== false) words.push(carrier.word(flow, packet))
    if (words.at(-1)?.passes === false) {
      const error = 'connection timed out: a network policy drops the packet'
      flow.fail({ flag: 'NETWORK_POLICY', symptom: 'timeout', error })
      flow.end()
      return { kind: 'drop' }
    }
    if (route.kind !== 'pod') return this.#nobody(flow, route, via)
    const { pod, port } = route
    const reads = words.some((word) => word.reads !== undefined)
    if (!reads && !context.listening(pod.key).includes(port)) {
      // A refusal by policy is a reset; only what policy lets through learns that nothing listens.
      if (!pod.mesh || inbound.admitsPlaintext(flow, pod.key, port, from)) return carrier.refuse(flow, pod, ends.remote)
      return carrier.accept(flow, pods, ends, async (client) => client.reset())
    }
    return carrier.accept(flow, pods, ends, (client) =>
      this.#pass(flow, client, packets, words, (carried, end) => this.#deliver(carried, route, from, end)),
    )
  }

  /** Lets a connection that was accepted on for each of its packets. `words`: what the network has said of them already. */
  async #pass(
    flow: Flow,
    client: End,
    packets: readonly Packet[],
    words: readonly Word[],
    onward: Onward,
  ): Promise<void> {
    const { carrier } = this.#parts
    const [packet, ...others] = packets
    if (packet === undefined) return onward(flow, client)
    const [word = carrier.word(flow, packet), ...said] = words
    if (!word.passes) return carrier.giveUp(flow, client, { flag: 'NETWORK_POLICY', error: 'connection timed out' })
    await carrier.through(flow, packet, word.reads, client, (carried, end) =>
      this.#pass(carried, end, others, said, onward),
    )
  }

  async #deliver(flow: Flow, route: PodRoute | DeadRoute, from: Address, client: End): Promise<void> {
    const { context, inbound } = this.#parts
    if (route.kind !== 'pod') {
      flow.step(noEndpoint(nameOf(route)))
      flow.fail({ flag: 'NO_ENDPOINT', symptom: 'reset', error: `${nameOf(route)} has no ready pod` })
      return client.reset()
    }
    const { pod, port } = route
    if (context.policy().snapshot.pods.get(pod.key)?.mesh) await inbound.plaintext(flow, pod.key, port, from, client)
    else await inbound.deliver(flow, pod.key, port, from, client)
  }

  #nobody(flow: Flow, route: DeadRoute, { node, port }: Via): DialAnswer {
    const error = `Service ${nameOf(route)} has no ready pod`
    flow.step(noEndpoint(nameOf(route)))
    flow.fail({ flag: 'NO_ENDPOINT', symptom: 'refused', error })
    flow.end()
    return { kind: 'error', code: 'ECONNREFUSED', message: `connect ECONNREFUSED ${node.ip}:${port}: ${error}` }
  }
}

/** The packet to the node, and the one that the node sends on, where there is a pod to send it to. */
export function packetsOf(source: Pod, route: PodRoute | DeadRoute, { node, port }: Via): readonly Packet[] {
  const toNode = { source, to: { ip: node.ip, host: hostOf(node) }, port }
  return route.kind === 'pod' ? [toNode, { source: { ip: node.ip }, to: route.pod, port: route.port }] : [toNode]
}

const nameOf = (route: DeadRoute): string => ('service' in route ? route.service : route.remote.ip)
