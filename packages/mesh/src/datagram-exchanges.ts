import type { Pod } from '@bulkhead/verdict'
import type { Context } from './context.js'
import { DNS_PORT } from './dns/names.js'
import type { Flow } from './flows.js'
import { noEndpoint, noSuchName, noSuchPort, unreachable } from './obstacles.js'
import type { Route } from './route.js'
import type { Address } from './seams.js'

/** A UDP exchange is over when nothing has come for as long (Linux's connection tracking waits 30 s). */
const IDLE_MS = 2_000
/** Exchanges followed at a time; the oldest makes way. */
const MAX_EXCHANGES = 4_096

/** Datagrams between two ports, until none comes any more. */
export interface Exchange {
  readonly flow: Flow
  /** What was dialled: answers come back from there, a Service's address too. */
  readonly dialled: Address | undefined
  readonly timer: NodeJS.Timeout
  /** A datagram of it was let through: only then is there something to answer. */
  passed: boolean
}

/** Where a pod's program sends a datagram to. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** Who sends the first datagram of an exchange, and where that goes. */
export interface Beginning {
  readonly source: Pod
  readonly route: Route
  readonly to: Target
  readonly run: string | undefined
}

/** The exchanges that are followed, by `source destination` of their first datagram. A record of each, at its end. */
export class Exchanges {
  readonly #context: Context
  readonly #open = new Map<string, Exchange>()

  constructor(context: Context) {
    this.#context = context
  }

  get(key: string): Exchange | undefined {
    return this.#open.get(key)
  }

  /** The same, if it has no record yet. */
  goingOn(key: string): Exchange | undefined {
    const exchange = this.#open.get(key)
    return exchange?.flow.ended === true ? undefined : exchange
  }

  begin(key: string, { source, route, to, run }: Beginning): Exchange {
    const pod = 'pod' in route ? route.pod : undefined
    const ip = pod?.ip ?? (route.kind === 'outside' ? route.to.ip : undefined)
    const port = route.kind === 'pod' ? route.port : route.kind === 'outside' ? route.to.port : to.port
    const flow = this.#context.flows.start({
      generation: this.#context.policy().generation,
      source: sourceOf(source),
      destination: {
        ...(pod && { workload: pod.workload, pod: pod.key }),
        ...('service' in route && route.service !== undefined && { service: route.service }),
        host: to.host,
        ...(ip !== undefined && { ip }),
        port,
      },
      protocol: 'UDP',
      transport: route.kind === 'no-name' || isDns(route, port) ? 'dns' : 'plaintext',
      run,
    })
    nowhere(flow, route)
    this.#end(key)
    const [oldest] = this.#open.keys()
    if (this.#open.size >= MAX_EXCHANGES && oldest !== undefined) this.#end(oldest)
    const dialled = route.kind === 'pod' ? route.remote : undefined
    const exchange = { flow, dialled, passed: false, timer: setTimeout(() => this.#end(key), IDLE_MS).unref() }
    this.#open.set(key, exchange)
    return exchange
  }

  /**
   * Makes the records of those that began with a key that starts so. They are followed on: an answer that is still on its way
   * belongs to them, and is no datagram of its own.
   */
  tellOf(start: string): void {
    for (const [key, { flow }] of this.#open) if (key.startsWith(start)) flow.end()
  }

  /** Ends every one, for the records' sake. */
  close(): void {
    for (const key of [...this.#open.keys()]) this.#end(key)
  }

  #end(key: string): void {
    const exchange = this.#open.get(key)
    this.#open.delete(key)
    clearTimeout(exchange?.timer)
    exchange?.flow.end()
  }
}

export const isDns = (route: Route, port: number): boolean =>
  route.kind === 'outside' && route.place === 'dns' && port === DNS_PORT

/** A datagram shows no certificate, whoever sends it. */
export const sourceOf = ({ workload, key, ip }: Pod) => ({ workload, pod: key, ip })

function nowhere(flow: Flow, route: Route): void {
  switch (route.kind) {
    case 'no-name':
      flow.step(noSuchName(route.name))
      flow.fail({ flag: 'NO_NAME', symptom: 'dns-not-found', error: `${JSON.stringify(route.name)} is no name here` })
      break
    case 'unreachable':
      flow.step(unreachable(route.remote.ip))
      flow.fail({ flag: 'CONNECT', symptom: 'timeout', error: 'no route to host' })
      break
    case 'no-port':
      flow.step(noSuchPort(route))
      flow.fail({ flag: 'CONNECT', symptom: 'refused', error: 'the Service has no such port' })
      break
    case 'no-endpoint':
      flow.step(noEndpoint(route.service))
      flow.fail({ flag: 'NO_ENDPOINT', symptom: 'refused', error: 'the Service has no ready endpoint for that port' })
  }
}
