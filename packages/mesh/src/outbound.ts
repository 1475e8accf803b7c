import type { Pod, Snapshot } from '@bulkhead/verdict'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import { dial, type HbonePool, TunnelError, type TunnelSource } from './hbone-client.js'
import { HBONE_PORT, type Inbound, wireName, ZTUNNEL_PORTS } from './inbound.js'
import { judgePacket, passes, type Station } from './network.js'
import { writeHeader } from './proxy-header.js'
import { type Endpoints, type Route, routeTo } from './route.js'
import type { Address, ClientEnd, DialAnswer, DialRequest } from './seams.js'
import { resettable, splice } from './splice.js'

export interface OutboundOptions {
  readonly context: Context
  readonly pool: HbonePool
  readonly inbound: Inbound
  readonly endpoints: Endpoints
  readonly token: Buffer
  /** Undefined for a pod that is not up, or not in the mesh. */
  readonly tunnelSource: (pod: Pod) => TunnelSource | undefined
}

type PodRoute = Extract<Route, { kind: 'pod' }>
type DeadRoute = Exclude<Route, PodRoute | { kind: 'loopback' } | { kind: 'no-name' }>

/** How a route that leads nowhere fails: at connect for a pod outside the mesh, after the accept for one in it. */
const DEAD = {
  'no-endpoint': {
    code: 'network.no-endpoint',
    flag: 'NO_ENDPOINT',
    errno: 'ECONNREFUSED',
    error: 'no healthy upstream',
  },
  'no-port': {
    code: 'network.nothing-listens',
    flag: 'CONNECT',
    errno: 'ECONNREFUSED',
    error: 'the Service has no such port',
  },
  unreachable: { code: 'network.unreachable', flag: 'CONNECT', errno: 'EHOSTUNREACH', error: 'no route to host' },
} as const

/** The source's side of the proxy for a pod in the mesh, and the plain network for a pod that is not. */
export class Outbound {
  readonly #options: OutboundOptions
  readonly #context: Context

  constructor(options: OutboundOptions) {
    this.#options = options
    this.#context = options.context
  }

  dial(request: DialRequest): DialAnswer {
    const { snapshot } = this.#context.policy()
    const source = snapshot.pods.get(request.pod)
    if (source === undefined)
      return { kind: 'error', code: 'EHOSTUNREACH', message: `pod ${JSON.stringify(request.pod)} is no more` }
    const { endpoints } = this.#options
    const route = routeTo({ snapshot, source, host: request.host, port: request.port, protocol: 'TCP', endpoints })
    const local = { ip: source.ip, port: this.#context.sourcePort() }
    const flow = this.#start(request, source, route)
    if (route.kind === 'no-name') return this.#noName(flow, route.name)
    if (route.kind === 'loopback') return this.#toItself(flow, source, route, local)
    return source.mesh ? this.#fromMesh(flow, source, route, local) : this.#fromNetwork(flow, source, route, local)
  }

  #start({ host, port, run }: DialRequest, source: Pod, route: Route): Flow {
    const pod = route.kind === 'pod' ? route.pod : route.kind === 'loopback' ? source : undefined
    const ip = pod?.ip ?? ('remote' in route ? route.remote.ip : '')
    const hbone = source.mesh && route.kind === 'pod' && route.pod.mesh
    return this.#context.flows.start({
      generation: this.#context.policy().generation,
      source: { workload: source.workload, pod: source.key, identity: source.identity, ip: source.ip },
      destination: {
        ...(pod && { workload: pod.workload, pod: pod.key }),
        ...('service' in route && route.service !== undefined && { service: route.service }),
        host,
        ...(ip !== '' && { ip }),
        port: route.kind === 'pod' ? route.port : port,
      },
      protocol: 'TCP',
      transport:
        route.kind === 'no-name' ? 'dns' : route.kind === 'loopback' ? 'loopback' : hbone ? 'hbone' : 'plaintext',
      run,
    })
  }

  #noName(flow: Flow, name: string): DialAnswer {
    const message = `${JSON.stringify(name)} is no name in this cluster, and there is no outside here`
    flow.step('cni-egress', 'kubernetes', 'network.no-such-name', { name })
    flow.fail({ flag: 'NO_NAME', symptom: 'dns-not-found', error: message })
    flow.end()
    return { kind: 'error', code: 'ENOTFOUND', message }
  }

  #toItself(flow: Flow, source: Pod, route: Extract<Route, { kind: 'loopback' }>, local: Address): DialAnswer {
    const { port, remote } = route
    const from = remote.ip === source.ip ? local : { ip: '127.0.0.1', port: local.port }
    if (source.mesh && ZTUNNEL_PORTS.includes(port)) return illegal(flow, remote, from)
    if (!this.#context.capture().listening(source.key).includes(port)) return this.#refused(flow, remote)
    return this.#accept(flow, source, [source.key], remote, from, (client) =>
      this.#options.inbound.deliver(flow, source.key, port, from, client),
    )
  }

  #refused(flow: Flow, { ip, port }: Address): DialAnswer {
    flow.step('cni-ingress', 'kubernetes', 'network.nothing-listens', { port })
    const error = `connect ECONNREFUSED ${ip}:${port}: nothing listens there`
    flow.fail({ flag: 'CONNECT', symptom: 'refused', error })
    flow.end()
    return { kind: 'error', code: 'ECONNREFUSED', message: error }
  }

  /** ztunnel takes the connection first and sees then: whatever fails is a reset after a connect that succeeded. */
  #fromMesh(flow: Flow, source: Pod, route: PodRoute | DeadRoute, local: Address): DialAnswer {
    if (ZTUNNEL_PORTS.includes(route.remote.port)) return illegal(flow, route.remote, local)
    if (route.kind !== 'pod') {
      return this.#accept(flow, source, [source.key], route.remote, local, async (client) => {
        const station = { ip: route.remote.ip }
        if (!(await this.#sent(flow, source, station, route.remote.port, client))) return
        dead(flow, route, 'reset')
        client.reset()
      })
    }
    const { pod, port } = route
    // What really leaves the pod: HBONE to a mesh peer, whatever port the app asked for.
    const onTheWire = pod.mesh ? HBONE_PORT : port
    return this.#accept(flow, source, [source.key, pod.key], route.remote, local, async (client) => {
      if (!(await this.#sent(flow, source, pod, onTheWire, client))) return
      const forget = this.#watch(flow, source, pod, onTheWire, () => client.reset())
      try {
        if (pod.mesh) await this.#tunnel(flow, source, pod, port, client)
        else await this.#options.inbound.deliver(flow, pod.key, port, local, client)
      } finally {
        forget()
      }
    })
  }

  async #tunnel(flow: Flow, source: Pod, pod: Pod, port: number, client: ClientEnd): Promise<void> {
    const { inFlight, hbonePath } = this.#context
    const tunnelSource = this.#options.tunnelSource(source)
    let correlation = ''
    try {
      if (tunnelSource === undefined) throw new TunnelError('connect', 'the source pod has no certificate')
      const target = { key: pod.key, ip: pod.ip, identity: pod.identity, path: hbonePath(pod.key) }
      const stream = await this.#options.pool.connect(tunnelSource, target, port, (name) => {
        inFlight.delete(correlation)
        correlation = name
        inFlight.set(name, flow)
      })
      flow.source = { ...flow.source, identity: tunnelSource.certificate.identity }
      if (client.stream.destroyed) return void stream.destroy(new Error('the client has gone'))
      const { cut } = await splice(client, resettable(stream), (sent, received) => {
        flow.bytesSent += sent
        flow.bytesReceived += received
      })
      if (cut === 'b' && flow.bytesReceived === 0)
        flow.fail({ flag: '-', symptom: 'reset', error: 'connection reset by the application' })
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error
      // A refusal that the destination gave a reason for is in the record already; this is kept only where there is none.
      tunnelFailed(flow, error)
      client.reset()
    } finally {
      inFlight.delete(correlation)
    }
  }

  /** No proxy: what the network says comes before the connect is answered. */
  #fromNetwork(flow: Flow, source: Pod, route: PodRoute | DeadRoute, local: Address): DialAnswer {
    const { capture, hbonePath, policy } = this.#context
    const to = route.kind === 'pod' ? route.pod : { ip: route.remote.ip }
    const port = route.kind === 'pod' ? route.port : route.remote.port
    if (!this.#passes(flow, source, to, port)) {
      flow.fail({ flag: 'NETWORK_POLICY', symptom: 'timeout', error: 'the packet was dropped by network policy' })
      flow.end()
      return { kind: 'drop' }
    }
    if (route.kind !== 'pod') {
      const { errno, error } = dead(flow, route, 'refused')
      flow.end()
      return { kind: 'error', code: errno, message: `connect ${errno} ${route.remote.ip}:${port}: ${error}` }
    }
    const { pod, remote } = route
    if (pod.mesh && port === HBONE_PORT) {
      const path = hbonePath(pod.key)
      return path === undefined ? this.#refused(flow, remote) : this.#rawHbone(flow, source, pod, remote, local, path)
    }
    if (pod.mesh && ZTUNNEL_PORTS.includes(port)) return illegal(flow, remote, local)
    // In front of a mesh pod's port stands ztunnel, which takes every connection; elsewhere the kernel answers.
    if (!policy().snapshot.pods.has(pod.key) || (!pod.mesh && !capture().listening(pod.key).includes(port)))
      return this.#refused(flow, remote)
    return this.#accept(flow, source, [source.key, pod.key], remote, local, async (client) => {
      const forget = this.#watch(flow, source, pod, port, () => client.reset())
      const { inbound } = this.#options
      try {
        if (pod.mesh) await inbound.plaintext(flow, pod.key, port, local, client)
        else await inbound.deliver(flow, pod.key, port, local, client)
      } finally {
        forget()
      }
    })
  }

  /** To a pod's HBONE port as it is: the client speaks TLS itself, with whatever certificate it has. */
  #rawHbone(flow: Flow, source: Pod, pod: Pod, remote: Address, local: Address, path: string): DialAnswer {
    flow.transport = 'hbone'
    const { inFlight, connectTimeoutMs } = this.#context
    const carry = async (client: ClientEnd) => {
      // The destination's side ends this flow if it refuses the handshake; a tunnel that stands has its streams' records.
      inFlight.set(wireName(local), flow)
      const forget = this.#watch(flow, source, pod, HBONE_PORT, () => client.reset())
      try {
        const raw = await dial(path, connectTimeoutMs)
        raw.write(writeHeader(this.#options.token, local, remote))
        await splice(client, resettable(raw))
      } catch (error) {
        tunnelFailed(flow, error instanceof TunnelError ? error : new TunnelError('connect', String(error)))
        flow.end()
        client.reset()
      } finally {
        forget()
        inFlight.delete(wireName(local))
      }
    }
    return { kind: 'accept', remote, local, carry: (client) => void carry(client), abandon: () => {} }
  }

  #accept(
    flow: Flow,
    source: Pod,
    pods: readonly string[],
    remote: Address,
    local: Address,
    carry: (client: ClientEnd) => Promise<void>,
  ): DialAnswer {
    const carried = async (client: ClientEnd) => {
      client.stream.on('error', () => {})
      // From the accept to the end, a pod that goes takes its connections along.
      const forget = this.#context.connections.add({
        flow,
        pods,
        judge: ({ pods: known }) => (pods.every((key) => known.has(key)) ? [] : undefined),
        close: () => client.reset(),
      })
      try {
        await carry(client)
      } catch (error) {
        this.#context.log?.error({ err: error, source: source.key }, 'a connection could not be carried')
        flow.fail({ flag: 'CONNECT', symptom: 'reset', error: String(error) })
        client.reset()
      } finally {
        forget()
        flow.end()
      }
    }
    // The client did not come for what was accepted: that is a connection that carried nothing.
    return { kind: 'accept', remote, local, carry: (client) => void carried(client), abandon: () => flow.end() }
  }

  #passes(flow: Flow, source: Pod, to: Pod | { readonly ip: string }, port: number): boolean {
    const { snapshot, generation } = this.#context.policy()
    const verdicts = this.#judge(snapshot, source, to, port)
    for (const verdict of verdicts ?? []) flow.judged(verdict, generation)
    return verdicts !== undefined && passes(verdicts)
  }

  /** For a mesh source: a packet that is dropped is one that the proxy waits for in vain, and the app with it. */
  async #sent(
    flow: Flow,
    source: Pod,
    to: Pod | { readonly ip: string },
    port: number,
    client: ClientEnd,
  ): Promise<boolean> {
    if (this.#passes(flow, source, to, port)) return true
    const maybe = port === HBONE_PORT ? ', maybe a NetworkPolicy is blocking HBONE port 15008' : ''
    flow.fail({ flag: 'NETWORK_POLICY', symptom: 'late-reset', error: `connection timed out${maybe}` })
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#context.connectTimeoutMs)
      const gone = () => {
        clearTimeout(timer)
        resolve()
      }
      if (client.stream.destroyed) gone()
      else client.stream.once('close', gone)
    })
    client.reset()
    return false
  }

  #judge(snapshot: Snapshot, source: Pod, to: Pod | { readonly ip: string }, port: number) {
    return judgePacket(this.#context.judgeAt, snapshot, station(source), station(to), port, 'TCP')
  }

  #watch(flow: Flow, source: Pod, to: Pod, port: number, close: () => void): () => void {
    return this.#context.connections.add({
      flow,
      pods: [source.key, to.key],
      judge: (snapshot) => this.#judge(snapshot, source, to, port),
      close,
    })
  }
}

const station = (of: Pod | { readonly ip: string }): Station => ('key' in of ? { ip: of.ip, key: of.key } : of)

function illegal(flow: Flow, remote: Address, local: Address): DialAnswer {
  flow.fail({ flag: 'ILLEGAL', symptom: 'reset', error: `port ${remote.port} is the proxy's own: illegal call` })
  const carry = (client: ClientEnd) => {
    client.reset()
    flow.end()
  }
  return { kind: 'accept', remote, local, carry, abandon: () => flow.end() }
}

function dead(flow: Flow, route: DeadRoute, symptom: 'reset' | 'refused') {
  const { code, flag, errno, error } = DEAD[route.kind]
  flow.step('cni-egress', 'kubernetes', code, { ip: route.remote.ip, port: route.remote.port })
  flow.fail({ flag, symptom, error })
  return { errno, error }
}

function tunnelFailed(flow: Flow, error: TunnelError): void {
  if (flow.failure !== undefined) return
  // The source refused the destination's certificate, or the destination did ours.
  if (error.kind === 'tls') flow.step('ztunnel', 'istio', 'hbone.untrusted-certificate')
  if (error.kind === 'connect') flow.step('ztunnel', 'istio', 'network.nothing-listens', { port: HBONE_PORT })
  const flag = error.kind === 'tls' ? 'TLS_FAILURE' : error.status === 401 ? 'DENY' : 'CONNECT'
  flow.fail({ flag, symptom: 'reset', error: error.message })
}
