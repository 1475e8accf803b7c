import type { Duplex } from 'node:stream'
import { hostOf, type Pod } from '@bulkhead/verdict'
import { type Carrier, type Ends, type Packet, podsOf } from '../carrier.js'
import type { Context } from '../context.js'
import type { Flow } from '../flows.js'
import { cutByApp } from '../inbound.js'
import type { Station } from '../network.js'
import { closedOutside, unreachable } from '../obstacles.js'
import type { OutsideRoute } from '../route.js'
import type { ClientEnd, DialAnswer, Outside } from '../seams.js'
import { type End, resettable, splice } from '../splice.js'

export interface EgressParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly outside: Outside
  /** Names that a pod was given an address for, by lookups that a DNS rule let through. */
  readonly learned: (pod: string, ip: string) => readonly string[]
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

/** Connections to what is no pod: the network's word first, then what a wall wants to read, and only then is anything dialled. */
export class Egress {
  readonly #parts: EgressParts

  constructor(parts: EgressParts) {
    this.#parts = parts
  }

  /** Of a pod in the mesh: its proxy has accepted the connection already. ztunnel passes through what it does not know. */
  async carry(flow: Flow, source: Pod, route: OutsideRoute, client: ClientEnd): Promise<void> {
    const { carrier } = this.#parts
    const packet = this.#packet(source, route)
    const word = carrier.word(flow, packet)
    if (!word.passes) return carrier.giveUp(flow, client, { flag: 'NETWORK_POLICY', error: 'connection timed out' })
    await carrier.through(flow, packet, word.reads, client, (...carried) => this.#reachAndJoin(route, ...carried))
  }

  /** Of a pod outside the mesh: what the network says comes before the connect is answered. */
  async dial(flow: Flow, source: Station, route: OutsideRoute, ends: Ends): Promise<DialAnswer> {
    const { carrier } = this.#parts
    const packet = this.#packet(source, route)
    const pods = podsOf(source)
    const word = carrier.word(flow, packet)
    if (!word.passes) {
      flow.fail({
        flag: 'NETWORK_POLICY',
        symptom: 'timeout',
        error: 'connection timed out: a network policy drops the packet',
      })
      flow.end()
      return { kind: 'drop' }
    }
    // A proxy that reads has to accept first.
    if (word.reads !== undefined) {
      return carrier.accept(flow, pods, ends, (client) =>
        carrier.through(flow, packet, word.reads, client, (...carried) => this.#reachAndJoin(route, ...carried)),
      )
    }
    let far: Duplex
    try {
      far = await this.#parts.outside.dial(route.to, route.place)
    } catch (error) {
      return this.#unanswered(flow, route, error)
    }
    far.on('error', () => {})
    const answer = carrier.accept(flow, pods, ends, (client) =>
      carrier
        .through(flow, packet, undefined, client, (carried, end) => join(carried, end, far))
        .finally(() => far.destroy()),
    )
    if (answer.kind !== 'accept') return answer
    const abandon = () => {
      answer.abandon()
      far.destroy()
    }
    return { ...answer, abandon }
  }

  #packet(source: Station, { to, pod, node }: OutsideRoute): Packet {
    const station = pod ?? { ip: to.ip, ...(node && { host: hostOf(node) }) }
    const learned = source.key === undefined ? [] : this.#parts.learned(source.key, to.ip)
    return { source, to: station, port: to.port, learned }
  }

  /** Dials for a connection that was accepted; undefined: nobody answers, and the client knows by now. */
  async #reach(flow: Flow, route: OutsideRoute, client: End): Promise<Duplex | undefined> {
    const { carrier, outside } = this.#parts
    const gone = new AbortController()
    const abort = () => gone.abort()
    client.stream.once('close', abort)
    try {
      return await outside.dial(route.to, route.place, gone.signal)
    } catch (error) {
      if (client.stream.destroyed) return undefined
      const { ip, port } = route.to
      if (codeOf(error) === 'ECONNREFUSED') {
        flow.step(closedOutside(route))
        flow.fail({ flag: 'CONNECT', symptom: 'reset', error: `connection failed: nothing listens at ${ip}:${port}` })
        client.reset()
      } else {
        flow.step(unreachable(ip))
        await carrier.giveUp(flow, client, { flag: 'CONNECT', error: `connection timed out: no route to host ${ip}` })
      }
      return undefined
    } finally {
      client.stream.off('close', abort)
    }
  }

  #unanswered(flow: Flow, route: OutsideRoute, error: unknown): DialAnswer {
    const { ip, port } = route.to
    if (codeOf(error) === 'ECONNREFUSED') {
      const message = `connect ECONNREFUSED ${ip}:${port}: nothing listens there`
      flow.step(closedOutside(route))
      flow.fail({ flag: 'CONNECT', symptom: 'refused', error: message })
      flow.end()
      return { kind: 'error', code: 'ECONNREFUSED', message }
    }
    flow.step(unreachable(ip))
    flow.fail({ flag: 'CONNECT', symptom: 'timeout', error: `connection timed out: no route to host ${ip}` })
    flow.end()
    return { kind: 'drop' }
  }

  async #reachAndJoin(route: OutsideRoute, flow: Flow, client: End): Promise<void> {
    const far = await this.#reach(flow, route, client)
    if (far !== undefined) await join(flow, client, far)
  }
}

async function join(flow: Flow, client: End, far: Duplex): Promise<void> {
  if (client.stream.destroyed) return void far.destroy()
  const { cut } = await splice(client, resettable(far), (sent, received) => {
    flow.bytesSent += sent
    flow.bytesReceived += received
  })
  cutByApp(flow, cut)
}
