import type { Pod } from '@bulkhead/verdict'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import { judgePacket, passes } from './network.js'
import { noEndpoint, noSuchName, noSuchPort, nothingListens, unreachable } from './obstacles.js'
import { type Endpoints, type PodRoute, type Route, resolve, routeTo } from './route.js'
import type { Dialer } from './seams.js'

/** A UDP exchange is over when nothing has come for as long (Linux's connection tracking waits 30 s). */
const IDLE_MS = 2_000
/** Exchanges followed at a time; the oldest makes way. */
const MAX_EXCHANGES = 4_096
const DNS_PORT = 53

interface Exchange {
  readonly flow: Flow
  readonly timer: NodeJS.Timeout
  /** A datagram of it was let through: only then is there something to answer. */
  passed: boolean
}

/** UDP: no mesh, no identity; judged by the network layers alone. One record per exchange, at its end. */
export class Datagrams {
  readonly #context: Context
  readonly #endpoints: Endpoints
  /** By `source destination` of the first datagram. */
  readonly #exchanges = new Map<string, Exchange>()

  constructor(context: Context, endpoints: Endpoints) {
    this.#context = context
    this.#endpoints = endpoints
  }

  /** A name asked by a pod: what ztunnel's DNS or the cluster's knows. Nothing beyond, and that leaves a record. */
  resolve(key: string, name: string): Awaited<ReturnType<Dialer['resolve']>> {
    const { snapshot, generation } = this.#context.policy()
    const source = snapshot.pods.get(key)
    if (source === undefined) return { code: 'EREFUSED' }
    const addresses = resolve({ snapshot, source, host: name, endpoints: this.#endpoints })
    if (addresses !== undefined) return { addresses }
    const flow = this.#context.flows.start({
      generation,
      source: sourceOf(source),
      destination: { host: name, port: DNS_PORT },
      protocol: 'UDP',
      transport: 'dns',
    })
    flow.step(noSuchName(name))
    const error = `${JSON.stringify(name)} is no name in this cluster, and there is no outside here`
    flow.fail({ flag: 'NO_NAME', symptom: 'dns-not-found', error })
    flow.end()
    return { code: 'ENOTFOUND' }
  }

  /** False: dropped, or nobody is there. */
  send(...[key, run, to, from, data]: Parameters<Dialer['datagram']>): boolean {
    const { snapshot, generation } = this.#context.policy()
    const source = snapshot.pods.get(key)
    if (source === undefined) return false
    const route = routeTo({ snapshot, source, ...to, protocol: 'UDP', endpoints: this.#endpoints })
    if (route.kind === 'loopback')
      return this.#context.capture().deliver(key, route.port, { ip: route.remote.ip, port: from }, data)
    const remote = route.kind === 'pod' ? `${route.pod.ip}:${route.port}` : `${to.host}:${to.port}`
    const local = `${source.ip}:${from}`

    // What comes back belongs to the exchange that asked, and no policy is asked again about it.
    const asked = this.#exchanges.get(`${remote} ${local}`)
    if (asked?.passed) {
      asked.timer.refresh()
      asked.flow.bytesReceived += data.length
      return route.kind === 'pod' && this.#deliver(route, source, from, data)
    }
    const exchange = this.#exchanges.get(`${local} ${remote}`) ?? this.#begin(local, remote, source, route, to, run)
    exchange.timer.refresh()
    exchange.flow.bytesSent += data.length
    const station = route.kind === 'pod' ? { ip: route.pod.ip, key: route.pod.key } : addressOf(route)
    if (station === undefined) return false
    const port = route.kind === 'pod' ? route.port : to.port
    const verdicts = judgePacket(this.#context.judgeAt, snapshot, source, station, port, 'UDP')
    for (const verdict of verdicts ?? []) exchange.flow.judged(verdict, generation)
    if (!passes(verdicts)) {
      exchange.flow.fail({
        flag: 'NETWORK_POLICY',
        symptom: 'timeout',
        error: 'the packet was dropped by network policy',
      })
      return false
    }
    exchange.passed = true
    return route.kind === 'pod' && this.#deliver(route, source, from, data, exchange.flow)
  }

  /** Ends every exchange, for the records' sake. */
  close(): void {
    for (const key of [...this.#exchanges.keys()]) this.#end(key)
  }

  #deliver(route: PodRoute, source: Pod, from: number, data: Uint8Array, flow?: Flow): boolean {
    const { pod, port } = route
    const delivered = this.#context.capture().deliver(pod.key, port, { ip: source.ip, port: from }, data)
    if (!delivered && flow !== undefined && flow.failure === undefined) {
      flow.step(nothingListens(pod.workload, port, []))
      flow.fail({ flag: 'CONNECT', symptom: 'refused', error: `nothing is bound to UDP port ${port} of ${pod.key}` })
    }
    return delivered
  }

  #begin(local: string, remote: string, source: Pod, route: Route, to: Target, run: string | undefined): Exchange {
    const pod = route.kind === 'pod' ? route.pod : undefined
    const flow = this.#context.flows.start({
      generation: this.#context.policy().generation,
      source: sourceOf(source),
      destination: {
        ...(pod && { workload: pod.workload, pod: pod.key, ip: pod.ip }),
        ...('service' in route && route.service !== undefined && { service: route.service }),
        host: to.host,
        port: route.kind === 'pod' ? route.port : to.port,
      },
      protocol: 'UDP',
      transport: route.kind === 'no-name' ? 'dns' : 'plaintext',
      run,
    })
    if (route.kind !== 'pod') nowhere(flow, route)
    const [oldest] = this.#exchanges.keys()
    if (this.#exchanges.size >= MAX_EXCHANGES && oldest !== undefined) this.#end(oldest)
    const key = `${local} ${remote}`
    const exchange = { flow, passed: false, timer: setTimeout(() => this.#end(key), IDLE_MS).unref() }
    this.#exchanges.set(key, exchange)
    return exchange
  }

  #end(key: string): void {
    const exchange = this.#exchanges.get(key)
    this.#exchanges.delete(key)
    clearTimeout(exchange?.timer)
    exchange?.flow.end()
  }
}

interface Target {
  readonly host: string
  readonly port: number
}

const sourceOf = ({ workload, key, identity, ip }: Pod) => ({ workload, pod: key, identity, ip })

/** The address that a datagram to nobody is still sent to, and that the network is asked about. */
const addressOf = (route: Exclude<Route, PodRoute>): { ip: string } | undefined =>
  'remote' in route ? { ip: route.remote.ip } : undefined

function nowhere(flow: Flow, route: Exclude<Route, PodRoute>): void {
  if (route.kind === 'no-name') {
    flow.step(noSuchName(route.name))
    flow.fail({ flag: 'NO_NAME', symptom: 'dns-not-found', error: `${JSON.stringify(route.name)} is no name here` })
  } else if (route.kind === 'unreachable') {
    flow.step(unreachable(route.remote.ip))
    flow.fail({ flag: 'CONNECT', symptom: 'timeout', error: 'no route to host' })
  } else if (route.kind === 'no-port') {
    flow.step(noSuchPort(route.service, route.remote.port))
    flow.fail({ flag: 'CONNECT', symptom: 'refused', error: 'the Service has no such port' })
  } else if (route.kind !== 'loopback') {
    flow.step(noEndpoint(route.service))
    flow.fail({ flag: 'NO_ENDPOINT', symptom: 'refused', error: 'the Service has no ready endpoint for that port' })
  }
}
