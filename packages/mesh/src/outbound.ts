import type { Pod } from '@bulkhead/verdict'
import type { Carrier, Ends } from './carrier.js'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import { join, ZTUNNEL_PORTS } from './inbound.js'
import type { MeshSource } from './mesh-source.js'
import type { NetworkSource } from './network-source.js'
import { loopback, noSuchName } from './obstacles.js'
import { type Endpoints, type Route, routeTo } from './route.js'
import type { DialAnswer, DialRequest } from './seams.js'

export interface OutboundParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly endpoints: Endpoints
  readonly fromMesh: MeshSource
  readonly fromNetwork: NetworkSource
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
    const { context, endpoints, fromMesh, fromNetwork } = this.#parts
    const { snapshot } = context.policy()
    const source = snapshot.pods.get(request.pod)
    if (source === undefined)
      return { kind: 'error', code: 'EHOSTUNREACH', message: `pod ${JSON.stringify(request.pod)} is no more` }
    const route = routeTo({ snapshot, source, host: request.host, port: request.port, protocol: 'TCP', endpoints })
    const flow = this.#start(request, source, route)
    if (route.kind === 'no-name') return this.#noName(flow, route.name)
    const ends = { remote: route.remote, local: { ip: source.ip, port: context.sourcePort() } }
    if (route.kind === 'loopback') return this.#toItself(flow, source, ends)
    return (source.mesh ? fromMesh : fromNetwork).dial(flow, source, route, ends)
  }

  #start({ host, port, run }: DialRequest, source: Pod, route: Route): Flow {
    const pod = route.kind === 'pod' ? route.pod : route.kind === 'loopback' ? source : undefined
    const ip = pod?.ip ?? ('remote' in route ? route.remote.ip : '')
    const identity = this.#parts.identity(source)
    return this.#parts.context.flows.start({
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
        port: route.kind === 'pod' ? route.port : port,
      },
      protocol: 'TCP',
      transport: transportOf(source, route),
      run,
    })
  }

  #noName(flow: Flow, name: string): DialAnswer {
    const message = `${JSON.stringify(name)} is no name in this cluster, and there is no outside here`
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
  return source.mesh && route.kind === 'pod' && route.pod.mesh ? 'hbone' : 'plaintext'
}
