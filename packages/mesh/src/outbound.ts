import type { Pod } from '@bulkhead/verdict'
import type { Carrier, Ends } from './carrier.js'
import type { Context } from './context.js'
import { type Names, nameFailures } from './dns/names.js'
import type { Egress } from './egress/egress.js'
import type { Flow } from './flows.js'
import { join, ZTUNNEL_PORTS } from './inbound.js'
import type { MeshSource } from './mesh-source.js'
import type { NetworkSource } from './network-source.js'
import type { NodePorts } from './node-port.js'
import { callerOf, isNode, type NodeSource } from './node-source.js'
import { loopback, noSuchName } from './obstacles.js'
import { type Endpoints, type OutsideRoute, type Route, routeTo } from './route.js'
import type { DialAnswer, DialRequest } from './seams.js'

export interface OutboundParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly endpoints: Endpoints
  readonly fromMesh: MeshSource
  readonly fromNetwork: NetworkSource
  readonly fromNode: NodeSource
  readonly nodePorts: NodePorts
  readonly egress: Egress
  readonly names: Names
  /** The identity that a pod's certificate names; undefined for a pod without one. */
  readonly identity: (pod: Pod) => string | undefined
}

/** Every connect of every pod starts here: which name, which endpoint, and which kind of source carries it. */
export class Outbound {
  readonly #parts: OutboundParts

  constructor(parts: OutboundParts) {
    this.#parts = parts
  }

  async dial(request: DialRequest): Promise<DialAnswer> {
    const { context, endpoints, names } = this.#parts
    const { snapshot } = context.policy()
    const source = callerOf(snapshot, request.pod)
    if (source === undefined)
      return { kind: 'error', code: 'EHOSTUNREACH', message: `pod ${JSON.stringify(request.pod)} is no more` }
    const where = { snapshot, source, port: request.port, protocol: 'TCP', endpoints } as const
    const route = routeTo({ ...where, host: request.host })
    if (route.kind !== 'no-name') return this.#to(this.#start(request, source, route), source, route)
    const flow = this.#start(request, source, route)
    if (!route.asked) return this.#noName(flow, route.name)
    const answer = await names.ask(source, route.name)
    if (answer.kind !== 'answered') {
      await names.fail(flow, route.name, answer)
      const { error: message } = nameFailures[answer.kind](route.name)
      return { kind: 'error', code: answer.kind === 'unknown' ? 'ENOTFOUND' : 'EAI_AGAIN', message }
    }
    flow.asked(answer.steps)
    const found = routeTo({ ...where, host: answer.addresses[0] ?? '' })
    // No name of the outside's leads back in.
    if (found.kind !== 'outside') return this.#noName(flow, route.name)
    flow.transport = 'plaintext'
    flow.destination = { ...flow.destination, ip: found.to.ip }
    return this.#to(flow, source, found)
  }

  async #to(flow: Flow, source: Pod, route: Exclude<Route, { kind: 'no-name' }>): Promise<DialAnswer> {
    const { context, fromMesh, fromNetwork, fromNode, nodePorts } = this.#parts
    const ends = { remote: route.remote, local: { ip: source.ip, port: context.sourcePort() } }
    if (route.kind === 'loopback') return this.#toItself(flow, source, ends)
    if (isNode(source)) return fromNode.dial(flow, source, route, ends)
    if (route.kind === 'outside') return this.#outside(flow, source, route, ends)
    if ('via' in route && route.via !== undefined) return nodePorts.dial(flow, source, route, route.via, ends)
    return (source.mesh ? fromMesh : fromNetwork).dial(flow, source, route, ends)
  }

  #outside(flow: Flow, source: Pod, route: OutsideRoute, ends: Ends): DialAnswer | Promise<DialAnswer> {
    const { context, carrier, egress } = this.#parts
    if (!source.mesh) return egress.dial(flow, source, route, ends)
    return carrier.accept(flow, [source.key], ends, async (client) => {
      // As it is labelled now, not when the connect was answered.
      const now = context.policy().snapshot.pods.get(source.key)
      if (now === undefined) client.reset()
      else await egress.carry(flow, now, route, client)
    })
  }

  #start({ host, port, run }: DialRequest, source: Pod, route: Route): Flow {
    const pod = route.kind === 'loopback' ? source : 'pod' in route ? route.pod : undefined
    const ip = pod?.ip ?? ('to' in route ? route.to.ip : 'remote' in route ? route.remote.ip : '')
    const transport = transportOf(source, route)
    // Who is called in plaintext is shown no certificate.
    const identity = transport === 'hbone' ? this.#parts.identity(source) : undefined
    const flow = this.#parts.context.flows.start({
      generation: this.#parts.context.policy().generation,
      source: {
        workload: source.workload,
        pod: source.key,
        ...(identity !== undefined && { identity }),
        ip: source.ip,
      },
      destination: {
        ...(pod && { workload: pod.workload, pod: pod.key }),
        ...('service' in route && route.service !== undefined && { service: route.service }),
        host,
        ...(ip !== '' && { ip }),
        port: route.kind === 'pod' ? route.port : route.kind === 'outside' ? route.to.port : port,
      },
      protocol: 'TCP',
      transport,
      run,
    })
    if (route.kind === 'pod') flow.approaches(route.pod.key)
    return flow
  }

  #noName(flow: Flow, name: string): DialAnswer {
    const message = `${JSON.stringify(name)} is no name in this cluster`
    flow.step(noSuchName(name))
    flow.fail({ flag: 'NO_NAME', symptom: 'dns-not-found', error: message })
    flow.end()
    return { kind: 'error', code: 'ENOTFOUND', message }
  }

  /** A pod's loopback is its own, and crosses no wall. What listens there may listen for the pod alone, so it is dialled to see. */
  async #toItself(flow: Flow, source: Pod, { remote, local }: Ends): Promise<DialAnswer> {
    const { context, carrier } = this.#parts
    const from = remote.ip === source.ip ? local : { ip: '127.0.0.1', port: local.port }
    const ends = { remote, local: from }
    if (source.mesh && ZTUNNEL_PORTS.includes(remote.port)) return carrier.illegal(flow, ends, source.workload)
    flow.step(loopback(source.workload))
    const app = await context
      .capture()
      .dialApp(source.key, remote.port, from)
      .catch(() => undefined)
    if (app === undefined) return carrier.refuse(flow, source, remote)
    // Nobody else listens until the client comes for it.
    app.on('error', () => {})
    const answer = carrier.accept(flow, [source.key], ends, (client) => join(flow, client, app))
    if (answer.kind !== 'accept') return answer
    const abandon = () => {
      answer.abandon()
      app.destroy()
    }
    return { ...answer, abandon }
  }
}

function transportOf(source: Pod, route: Route): 'dns' | 'loopback' | 'hbone' | 'plaintext' {
  if (route.kind === 'no-name') return 'dns'
  if (route.kind === 'loopback') return 'loopback'
  return source.mesh && route.kind === 'pod' && route.pod.mesh && route.via === undefined ? 'hbone' : 'plaintext'
}
