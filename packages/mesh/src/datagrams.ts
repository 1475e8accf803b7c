import { hostOf, type Pod } from '@bulkhead/verdict'
import type { Packet } from './carrier.js'
import type { Context } from './context.js'
import { type Exchange, Exchanges, isDns, sourceOf, type Target } from './datagram-exchanges.js'
import { asking, DNS_PORT, isRefusal, type Names } from './dns/names.js'
import { type Asked, answerTo, readDatagram } from './dns/server.js'
import type { Flow } from './flows.js'
import { judgePacket, type Known, passes, readsOf, type Station } from './network.js'
import { packetsOf } from './node-port.js'
import { callerOf, speakerOf } from './node-source.js'
import { closedOutside, nothingListens, unreachable } from './obstacles.js'
import { type Endpoints, type OutsideRoute, type PodRoute, type Route, resolve, routeTo } from './route.js'
import type { Address, Dialer, Outside } from './seams.js'

export interface DatagramsParts {
  readonly context: Context
  readonly endpoints: Endpoints
  readonly names: Names
  readonly outside: Outside
}

/** UDP: no mesh, no identity; judged by the network layers alone. One record per exchange, at its end. */
export class Datagrams {
  readonly #parts: DatagramsParts
  readonly #context: Context
  readonly #exchanges: Exchanges

  constructor(parts: DatagramsParts) {
    this.#parts = parts
    this.#context = parts.context
    this.#exchanges = new Exchanges(parts.context)
  }

  /** A name asked by a pod. What has no answer leaves a record. */
  async resolve(key: string, name: string, run?: string): ReturnType<Dialer['resolve']> {
    const { endpoints, names } = this.#parts
    const { snapshot, generation } = this.#context.policy()
    const source = callerOf(snapshot, key)
    if (source === undefined) return { code: 'EREFUSED' }
    const found = resolve({ snapshot, source, host: name, endpoints })
    if ('addresses' in found) return found
    const answer = found.ask ? await names.ask(source, found.name) : ({ kind: 'unknown', steps: [] } as const)
    if (answer.kind === 'answered') return { addresses: answer.addresses }
    const flow = this.#context.flows.start({
      generation,
      source: sourceOf(source),
      destination: { host: found.name, port: DNS_PORT },
      protocol: 'UDP',
      transport: 'dns',
      run,
    })
    await names.fail(flow, found.name, answer)
    return { code: codes[answer.kind] }
  }

  /** False: dropped, or nobody is there. */
  async send(...[key, run, to, from, data]: Parameters<Dialer['datagram']>): Promise<boolean> {
    const { endpoints, names } = this.#parts
    const { snapshot } = this.#context.policy()
    const source = callerOf(snapshot, key)
    if (source === undefined) return false
    const where = { snapshot, source, port: to.port, protocol: 'UDP', endpoints } as const
    const route = routeTo({ ...where, host: to.host })
    if (route.kind !== 'no-name' || !route.asked) return this.#send(source, route, { run, to, from, data })
    const answer = await names.ask(source, route.name)
    const found = answer.kind === 'answered' ? routeTo({ ...where, host: answer.addresses[0] ?? '' }) : route
    return this.#send(source, found, { run, to, from, data })
  }

  #send(source: Pod, route: Route, { run, to, from, data }: Sent): boolean {
    const { snapshot, generation } = this.#context.policy()
    if (route.kind === 'loopback')
      return this.#context.capture().deliver(source.key, route.port, { ip: route.remote.ip, port: from }, data)
    const remote = route.kind === 'pod' ? `${route.pod.ip}:${route.port}` : `${to.host}:${to.port}`
    const local = `${source.ip}:${from}`

    // What comes back belongs to the exchange that asked, and no policy is asked again about it.
    const asked = this.#exchanges.get(`${remote} ${local}`)
    if (asked?.passed) {
      asked.timer.refresh()
      asked.flow.bytesReceived += data.length
      const as = asked.dialled ?? { ip: source.ip, port: from }
      return route.kind === 'pod' && this.#deliver(route, as, data)
    }
    const key = `${local} ${remote}`
    const exchange = this.#exchanges.goingOn(key) ?? this.#exchanges.begin(key, { source, route, to, run })
    exchange.timer.refresh()
    exchange.flow.bytesSent += data.length
    const station = stationOf(route)
    if (station === undefined) return false
    const port = route.kind === 'pod' ? route.port : route.kind === 'outside' ? route.to.port : to.port
    const question = isDns(route, port) ? readDatagram(data) : undefined
    const known: Known = {
      ...(route.kind === 'outside' && { learned: this.#parts.names.learned.names(source.key, route.to.ip) }),
      ...(question && { payload: question.payload }),
    }
    // By a node's port the packet is one to the node, and then one of the node.
    const packets: readonly Packet[] =
      route.kind === 'pod' && route.via !== undefined
        ? packetsOf(source, route, route.via)
        : [{ source: speakerOf(source), to: station, port }]
    const judge = (more: Known) => {
      const said = packets.map((packet) =>
        judgePacket(this.#context.judgeAt, snapshot, packet.source, packet.to, packet.port, 'UDP', {
          ...known,
          ...more,
        }),
      )
      return said.every((verdicts) => verdicts !== undefined) ? said.flat() : undefined
    }
    const first = judge({})
    // Of a datagram nothing is read but a question to kube-dns.
    const verdicts = question === undefined && readsOf(first) ? judge({ payload: { kind: 'other' } }) : first
    const query = question?.payload.kind === 'dns' ? question.payload.query : undefined
    for (const verdict of verdicts ?? [])
      exchange.flow.judged(query === undefined ? verdict : asking(verdict, query), generation)
    const refused = !passes(verdicts) && isRefusal(verdicts)
    if (refused && question !== undefined && route.kind === 'outside') {
      exchange.flow.fail({ flag: 'DENY', symptom: 'dns-refused', error: 'the question was refused by network policy' })
      return this.#reply(exchange, route, source, from, answerTo(question, { kind: 'refused' }))
    }
    if (!passes(verdicts)) {
      const symptom = question === undefined ? 'timeout' : 'dns-timeout'
      exchange.flow.fail({ flag: 'NETWORK_POLICY', symptom, error: 'the packet was dropped by network policy' })
      return false
    }
    exchange.passed = true
    if (route.kind === 'pod') return this.#deliver(route, { ip: source.ip, port: from }, data, exchange.flow)
    if (route.kind !== 'outside') return false
    if (question !== undefined) return this.#answer(exchange, route, source, from, question)
    return this.#beyond(exchange, route, source, from, data)
  }

  /** Nobody is left there whom an answer could reach. */
  unbound(key: string, port: number): void {
    const source = callerOf(this.#context.policy().snapshot, key)
    if (source !== undefined) this.#exchanges.tellOf(`${source.ip}:${port} `)
  }

  /** Ends every exchange, for the records' sake. */
  close(): void {
    this.#exchanges.close()
  }

  /** A question that a pod put to kube-dns itself, and that the walls let pass. */
  #answer(exchange: Exchange, route: OutsideRoute, source: Pod, from: number, question: Asked): boolean {
    const { endpoints, names, outside } = this.#parts
    const { snapshot } = this.#context.policy()
    const say = (answer: Parameters<typeof answerTo>[1]) =>
      void this.#reply(exchange, route, source, from, answerTo(question, answer))
    if (question.payload.kind === 'other') {
      say({ kind: 'unknown' })
      return true
    }
    // A question that is spelled out has no search domains.
    const name = question.payload.query
    const found = resolve({ snapshot, source, host: `${name}.`, endpoints })
    if ('addresses' in found) say({ kind: 'answered', addresses: found.addresses })
    else if (!found.ask) say({ kind: 'unknown' })
    else {
      const { verdicts } = names.judge(source, name)
      outside.resolve(name).then(
        (addresses) => {
          if (addresses === undefined || addresses.length === 0) return say({ kind: 'unknown' })
          names.answered(source, name, verdicts, addresses)
          say({ kind: 'answered', addresses })
        },
        () => say({ kind: 'unknown' }),
      )
    }
    return true
  }

  /** To an address that is no pod's of the manifests. */
  #beyond(exchange: Exchange, route: OutsideRoute, source: Pod, from: number, data: Uint8Array): boolean {
    const reply = (answer: Uint8Array) => void this.#reply(exchange, route, source, from, answer)
    if (this.#parts.outside.datagram(route.to, route.place, data, reply)) return true
    if (exchange.flow.failure !== undefined) return false
    if (route.place === 'world') {
      exchange.flow.step(unreachable(route.to.ip))
      exchange.flow.fail({ flag: 'CONNECT', symptom: 'timeout', error: 'no route to host' })
    } else {
      exchange.flow.step(closedOutside(route))
      exchange.flow.fail({
        flag: 'CONNECT',
        symptom: 'refused',
        error: `nothing is bound to UDP port ${route.to.port}`,
      })
    }
    return false
  }

  /** What comes back past policy, from the address that was asked; nothing, for what is no question. */
  #reply({ flow, timer }: Exchange, { remote }: OutsideRoute, source: Pod, to: number, data: Uint8Array): boolean {
    if (data.length === 0) return false
    flow.bytesReceived += data.length
    timer.refresh()
    return this.#context.capture().deliver(source.key, to, remote, data)
  }

  #deliver({ pod, port }: PodRoute, from: Address, data: Uint8Array, flow?: Flow): boolean {
    const delivered = this.#context.capture().deliver(pod.key, port, from, data)
    if (!delivered && flow !== undefined && flow.failure === undefined) {
      flow.step(nothingListens(pod.workload, port, []))
      flow.fail({ flag: 'CONNECT', symptom: 'refused', error: `nothing is bound to UDP port ${port} of ${pod.key}` })
    }
    return delivered
  }
}

interface Sent {
  readonly run: string | undefined
  readonly to: Target
  readonly from: number
  readonly data: Uint8Array
}

/** What a resolver's client sees of a question without an answer. */
const codes = { refused: 'EREFUSED', dropped: 'EAI_AGAIN', unknown: 'ENOTFOUND' } as const

/** The address that a datagram is sent to, also to nobody, and that the network is asked about. */
function stationOf(route: Route): Station | undefined {
  if (route.kind === 'pod') return { ip: route.pod.ip, key: route.pod.key }
  // To a Service without an endpoint, or without that port, no packet leaves.
  if (route.kind !== 'outside') return route.kind === 'unreachable' ? { ip: route.remote.ip } : undefined
  const { pod, node, to } = route
  return pod ?? { ip: to.ip, ...(node && { host: hostOf(node) }) }
}
