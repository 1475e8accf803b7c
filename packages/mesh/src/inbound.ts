import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { isIPv4 } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PointVerdict, Snapshot, ZtunnelEvidence } from '@bulkhead/verdict'
import type { Context } from './context.js'
import { Farewell } from './farewell.js'
import type { Flow } from './flows.js'
import { correlationOf } from './hbone-client.js'
import type { HboneHandler, Peer, Refusal } from './hbone-server.js'
import { nothingListens, refusedCertificate, wrongTarget } from './obstacles.js'
import type { Address } from './seams.js'
import { appEnd, ConnectionReset, type End, resettable, splice } from './splice.js'

/** Ports of ztunnel in a pod's network namespace: nobody's to dial but its own. */
export const ZTUNNEL_PORTS: readonly number[] = [15001, 15006, 15008]
export const HBONE_PORT = 15008

/**
 * The destination's side of the proxy. It judges with what it learned itself: the identity of the verified certificate
 * for HBONE, none for plaintext, and the address on the wire.
 */
export class Inbound {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** What a pod's port 15008 hands on. */
  handlerOf(key: string): HboneHandler {
    return {
      stream: (stream, headers, peer) =>
        void this.#stream(key, stream, headers, peer).catch((error: unknown) => {
          this.#context.log?.error({ err: error, pod: key }, 'an incoming stream could not be carried')
          stream.destroy(new Error('internal error'))
        }),
      refused: (from, refusal) => this.#refused(key, from, refusal),
    }
  }

  /** A stream at that pod's port 15008. */
  async #stream(key: string, stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: Peer): Promise<void> {
    const { inFlight, raw } = this.#context
    const correlation = correlationOf(peer, stream.id ?? 0)
    const carried = inFlight.get(correlation)
    inFlight.delete(correlation)
    const own = raw.get(wireName(peer))
    // Whoever asked has given up meanwhile, and has said so in its record.
    if (carried === undefined && own === undefined) return void stream.destroy(new ConnectionReset())
    if (own !== undefined) own.streams += 1
    const flow = carried ?? this.#startFlow(key, peer, HBONE_PORT, own?.flow.run)
    try {
      await this.#connect(key, stream, headers, peer, flow, carried === undefined)
    } finally {
      // Whoever made the flow ends it: the outbound side of this process, or this side for a client of its own make.
      if (carried === undefined) flow.end()
    }
  }

  /** One CONNECT, up to the end of what it opened. `counts`: nobody else counts its bytes. */
  async #connect(
    key: string,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    peer: Peer,
    flow: Flow,
    counts: boolean,
  ): Promise<void> {
    const method = headers[':method']
    const authority = String(headers[':authority'] ?? '')
    const pod = this.#context.policy().snapshot.pods.get(key)
    const target = parseAuthority(authority)
    if (counts && target !== undefined) flow.destination = { ...flow.destination, port: target.port }
    flow.source = { ...flow.source, identity: peer.identity }

    if (method !== 'CONNECT') {
      flow.fail({
        flag: 'ILLEGAL',
        symptom: 'reset',
        error: `only CONNECT is answered here, not ${JSON.stringify(method)}`,
      })
      return refuse(stream, 405)
    }
    const proxy = pod?.waypoint === undefined ? undefined : this.#context.proxy(key)
    if (proxy !== undefined) return proxy.tunnel(flow, stream, authority, peer, counts)
    if (pod === undefined || target === undefined || target.ip !== pod.ip || ZTUNNEL_PORTS.includes(target.port)) {
      if (pod !== undefined) flow.step(wrongTarget(pod, authority.slice(0, 100)))
      const error = `CONNECT ${JSON.stringify(authority.slice(0, 100))} came to ${pod?.ip ?? key}, which is not that`
      flow.fail({ flag: 'ILLEGAL', symptom: 'reset', error })
      return refuse(stream, 400)
    }
    const evidence = { key, port: target.port, peer: { ip: peer.ip, identity: peer.identity } }
    let words: Farewell | undefined
    let isLast = this.#isLate(flow)
    if (!this.#admits(flow, evidence)) return refuse(stream, 401)

    const close = () => void stream.destroy(new ConnectionReset())
    const forget = this.#watch(flow, evidence, close, () => {
      isLast = true
      words?.begin()
    })
    try {
      const app = await this.#app(flow, key, target.port, peer)
      if (app === undefined) return refuse(stream, 503)
      // Closed comes before destroyed: the peer has reset it, and there is still something to read.
      if (stream.destroyed || stream.closed) return void app.destroy()
      stream.respond({ ':status': 200 })
      const said = new Farewell(stream, app)
      words = said
      if (isLast) said.begin()
      const count = (sent: number, received: number) => {
        said.heard(sent, received)
        if (!counts) return
        flow.bytesSent += sent
        flow.bytesReceived += received
      }
      const { cut } = await splice(resettable(stream), appEnd(app), count)
      if (counts) cutByApp(flow, cut)
    } finally {
      forget()
    }
  }

  /** What ztunnel would say to a connection without a certificate; for those that are answered before they are carried. */
  admitsPlaintext(flow: Flow, key: string, port: number, from: Address): boolean {
    return this.#admits(flow, { key, port, peer: { ip: from.ip } })
  }

  /** A connection that came to the app's port as it is: no certificate, so nobody's identity. */
  async plaintext(flow: Flow, key: string, port: number, from: Address, client: End): Promise<void> {
    const evidence = { key, port, peer: { ip: from.ip } }
    if (!this.#admits(flow, evidence)) return client.reset()
    const forget = this.#watch(flow, evidence, () => client.reset())
    try {
      await this.deliver(flow, key, port, from, client)
    } finally {
      forget()
    }
  }

  /** Joins a connection to the app, which no point guards any more. */
  async deliver(flow: Flow, key: string, port: number, from: Address, client: End): Promise<void> {
    const proxy = this.#context.proxy(key)
    if (proxy !== undefined) {
      flow.arrived()
      return proxy.take(flow, port, from, client)
    }
    const app = await this.#app(flow, key, port, from)
    if (app === undefined) return client.reset()
    await join(flow, client, app)
  }

  /** A handshake at that pod's port 15008 that came to nothing. */
  #refused(key: string, from: Address | undefined, { certificate, error }: Refusal): void {
    if (from === undefined) {
      const flow = this.#startFlow(key, undefined, HBONE_PORT)
      flow.fail({ flag: 'ILLEGAL', symptom: 'reset', error })
      flow.end()
      return
    }
    const own = this.#context.raw.get(wireName(from))
    // Of a source in the mesh: its app sees the proxy's reset, and the flow is the source's to end. If it has none any
    // more, the source has given up before, and has said so in its record.
    const flow = own?.flow ?? this.#context.inFlight.get(correlationOf(from, 0))
    if (flow === undefined) return
    const pod = this.#context.policy().snapshot.pods.get(key)
    if (certificate !== undefined && pod !== undefined) flow.step(refusedCertificate(pod, certificate))
    flow.fail({ flag: 'TLS_FAILURE', symptom: own === undefined ? 'reset' : 'tls-refused', error })
    if (own !== undefined) flow.end()
  }

  #startFlow(key: string, from: (Address & { identity?: string }) | undefined, port: number, run?: string): Flow {
    const { snapshot, generation } = this.#context.policy()
    const source = from && snapshot.podByIp(from.ip)
    const pod = snapshot.pods.get(key)
    return this.#context.flows.start({
      generation,
      source: {
        ...(source && { workload: source.workload, pod: source.key }),
        ...(from?.identity !== undefined && { identity: from.identity }),
        ip: from?.ip ?? '',
      },
      destination: { ...(pod && { workload: pod.workload, ip: pod.ip }), pod: key, port },
      protocol: 'TCP',
      transport: 'hbone',
      run,
    })
  }

  /** What was on its way when the policies changed in order is judged by those that it set out under. */
  #isLate({ begun }: Flow): boolean {
    const now = this.#context.policy()
    return now.before !== undefined && begun < now.generation
  }

  #admits(flow: Flow, evidence: Evidence): boolean {
    const { snapshot, generation: now, before = snapshot } = this.#context.policy()
    const late = this.#isLate(flow)
    const generation = late ? flow.begun : now
    const verdict = judgeEvidence(this.#context, late ? before : snapshot, evidence)
    if (verdict === undefined) {
      flow.fail({ flag: 'CONNECT', symptom: 'reset', error: 'the destination pod is no more' })
      return false
    }
    flow.judged(verdict, generation)
    if (verdict.outcome === 'allow') return true
    flow.fail({
      flag: 'DENY',
      symptom: 'reset',
      error: `connection closed due to policy rejection: ${rejection(verdict)}`,
    })
    return false
  }

  /** Open from the verdict on, so that no change of policy falls between it and the app's answer. */
  #watch(flow: Flow, evidence: Evidence, close: () => void, farewell?: () => void): () => void {
    return this.#context.connections.add({
      flow,
      pods: [evidence.key],
      judge: (snapshot) => {
        const verdict = judgeEvidence(this.#context, snapshot, evidence)
        return verdict && [verdict]
      },
      close,
      ...(farewell && { farewell }),
    })
  }

  async #app(flow: Flow, key: string, port: number, from: Address): Promise<Duplex | undefined> {
    try {
      const app = await this.#context.capture().dialApp(key, port, from)
      flow.arrived()
      return app
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      flow.step(nothingListens(flow.destination.workload ?? key, port, this.#context.listening(key)))
      flow.fail({
        flag: 'CONNECT',
        symptom: 'reset',
        error: `connection failed: nothing listens on port ${port} (${code})`,
      })
      return undefined
    }
  }
}

/** Answers a CONNECT with no. */
export function refuse(stream: ServerHttp2Stream, status: number): void {
  if (stream.destroyed || stream.closed) return
  stream.respond({ ':status': status }, { endStream: true })
  // What the peer still sends is of no use, and must not keep the stream. Not in this turn, or the reset would overtake
  // the answer (from Node 22 on).
  setImmediate(() => stream.close())
}

/** A raw connection at a port 15008, by its source address on the wire. */
export const wireName = (from: Address): string => `${from.ip}:${from.port}`

/** Carries a client's connection to the app, up to its end. */
export async function join(flow: Flow, client: End, app: Duplex): Promise<void> {
  if (client.stream.destroyed) return void app.destroy()
  const { cut } = await splice(client, appEnd(app), (sent, received) => {
    flow.bytesSent += sent
    flow.bytesReceived += received
  })
  cutByApp(flow, cut)
}

/** The app cut it off before it had said a word: what its client sees is a reset, and no policy's. */
export function cutByApp(flow: Flow, cut: 'a' | 'b' | undefined): void {
  if (cut === 'b' && flow.bytesReceived === 0)
    flow.fail({ flag: '-', symptom: 'reset', error: 'connection reset by the application' })
}

/** ZtunnelEvidence with the pod by its key: a later snapshot may know other labels of it. */
interface Evidence extends Omit<ZtunnelEvidence, 'destination'> {
  readonly key: string
}

function judgeEvidence(context: Context, snapshot: Snapshot, { key, port, peer }: Evidence): PointVerdict | undefined {
  const destination = snapshot.pods.get(key)
  return destination && context.judgeAt('ztunnel', { destination, port, peer }, snapshot)
}

/** An address and a port, as CONNECT names them. */
export function parseAuthority(authority: string): Address | undefined {
  const [, ip, digits] = /^([0-9.]{7,15}):([0-9]{1,5})$/.exec(authority) ?? []
  const port = Number(digits)
  return ip !== undefined && isIPv4(ip) && port >= 1 && port <= 65_535 ? { ip, port } : undefined
}

/** ztunnel's words for why. */
export function rejection(verdict: PointVerdict): string {
  const step = verdict.steps.find(({ outcome }) => outcome === 'deny')
  if (step === undefined) {
    const unknown = verdict.steps.find(({ outcome }) => outcome === 'unknown')
    return `cannot be decided, and so refused: ${unknown?.policy ?? 'an object'} is not modelled`
  }
  if (step.code === 'mtls.strict-no-identity') return 'explicitly denied by: istio-system/istio_converted_static_strict'
  if (step.code === 'authz.rule-denies')
    return `explicitly denied by: ${step.policy?.replace(/^[^/]*\//, '') ?? 'a policy'}`
  return 'allow policies exist, but none allowed'
}
