import { type CniVerdict, hbonePort, type Payload, type Pod, type Snapshot } from '@bulkhead/verdict'
import type { OpenConnection } from './connections.js'
import type { Context } from './context.js'
import { readFirstBytes } from './egress/first-bytes.js'
import type { Failure, Flow } from './flows.js'
import type { FrontTimeouts } from './http/front.js'
import { judgePacket, type Known, passes, readsOf, type Station } from './network.js'
import { nothingListens, ownPort } from './obstacles.js'
import type { Onward } from './requests/behind.js'
import { RequestFilter } from './requests/filter.js'
import type { Address, ClientEnd, DialAnswer } from './seams.js'
import type { End } from './splice.js'

/** A packet between two stations, as the network sees it, and what is known of the connection that it opened. */
export interface Packet extends Known {
  readonly source: Station
  readonly to: Station
  readonly port: number
  /** Its connection is not read once but request by request, each judged for itself. */
  readonly eachRequest?: true
}

/** What both kinds of source (in the mesh, and on the plain network) do with a connection on its way. */
export class Carrier {
  readonly #context: Context
  readonly #requests: RequestFilter

  constructor(context: Context, timeouts?: FrontTimeouts) {
    this.#context = context
    const passes = (flow: Flow, packet: Packet, payload: Payload) => this.word(flow, { ...packet, payload }).passes
    this.#requests = new RequestFilter(context, { passes, watch: (...asked) => this.watch(...asked) }, timeouts)
  }

  close(): void {
    this.#requests.close()
  }

  /** Answers a connect with yes, and carries what comes. The flow ends with the connection, however it ends. */
  accept(flow: Flow, pods: readonly string[], ends: Ends, carry: (client: ClientEnd) => Promise<void>): DialAnswer {
    const carried = async (client: ClientEnd) => {
      // Its close says all; unheard, the error would end the process.
      client.stream.on('error', () => {})
      // From the accept to the end, a pod that goes takes its connections along.
      const connection: OpenConnection = {
        flow,
        pods,
        judge: ({ pods: known }) => (pods.every((key) => known.has(key)) ? [] : undefined),
        close: () => client.reset(),
      }
      const forget = this.#context.connections.add(connection)
      try {
        if (this.#stillHolds(connection)) await carry(client)
      } catch (error) {
        this.#context.log?.error({ err: error, pods }, 'a connection could not be carried')
        flow.fail({ flag: 'CONNECT', symptom: 'reset', error: String(error) })
        client.reset()
      } finally {
        forget()
        flow.end()
      }
    }
    // A client that never came for what was accepted made a connection that carried nothing.
    return { kind: 'accept', ...ends, carry: (client) => void carried(client), abandon: () => flow.end() }
  }

  /** Asks the network about a packet, and what it has to read of what follows. */
  word(flow: Flow, packet: Packet): Word {
    const { snapshot, generation } = this.#context.policy()
    const verdicts = this.#judge(packet, snapshot)
    for (const verdict of verdicts ?? []) flow.judged(verdict, generation)
    const reads = packet.payload === undefined ? readsOf(verdicts) : undefined
    return { passes: passes(verdicts), ...(reads !== undefined && { reads }) }
  }

  /** The same, where nothing can be read: what a wall wants to read and does not get is not what it lists. */
  passes(flow: Flow, packet: Packet): boolean {
    const word = this.word(flow, packet)
    if (word.reads === undefined || !word.passes) return word.passes
    return this.word(flow, unread(packet)).passes
  }

  /**
   * Lets a connection on that was accepted: as it is; or once its first bytes are read, where a wall wants to; or each request
   * in it. A change of policy closes it, judged with what was read of it.
   */
  async through(flow: Flow, packet: Packet, reads: Word['reads'], client: End, onward: Onward): Promise<void> {
    if (reads === 'http') return this.eachRequest(flow, packet, client, onward)
    const known = await this.read(flow, packet, reads, client)
    if (known === undefined) return
    const forget = this.watch(flow, known, () => client.reset())
    if (forget === undefined) return
    try {
      await onward(flow, client)
    } finally {
      forget()
    }
  }

  /** Lets on what a wall lists of a connection's requests. `records`: they have flow records. */
  eachRequest(flow: Flow, packet: Packet, client: End, onward: Onward, records = true): Promise<void> {
    // Each of them is on its way for itself.
    flow.arrived()
    return this.#requests.carry(flow, packet, client, onward, records)
  }

  /**
   * Reads first bytes, and asks again. Requests are not read: what a wall lists of them is not there. Returns what is known
   * now; undefined: it may not go on, and is closed.
   */
  async read(flow: Flow, packet: Packet, reads: Word['reads'], client: End): Promise<Packet | undefined> {
    if (reads === undefined) return packet
    const payload =
      reads === 'tls' ? await readFirstBytes(client.stream, this.#context.firstBytesMs) : ({ kind: 'other' } as const)
    if (payload === undefined) return undefined
    if (payload.kind === 'tls') flow.sni = payload.sni
    const known = { ...packet, payload }
    if (this.word(flow, known).passes) return known
    const what = payload.kind === 'tls' ? `server name ${JSON.stringify(payload.sni ?? '')}` : 'what it carries'
    const error = `connection closed once it was read: a network policy does not allow ${what}`
    flow.fail({ flag: 'DENY', symptom: 'reset', error })
    client.reset()
    return undefined
  }

  /**
   * Has the network asked again whenever the policies change. Returns the way to stop that; undefined: they have changed
   * since the connect was answered, and the connection is closed.
   */
  watch(flow: Flow, packet: Packet, close: () => void): (() => void) | undefined {
    const pods = podsOf(packet.source, packet.to)
    const connection = { flow, pods, judge: (snapshot: Snapshot) => this.#again(packet, snapshot), close }
    const forget = this.#context.connections.add(connection)
    return this.#stillHolds(connection) ? forget : undefined
  }

  /** Between the answer to a connect and its first byte lies a way to the client and back, and a swap may fall there. */
  #stillHolds(connection: OpenConnection): boolean {
    const { connections, policy } = this.#context
    const now = policy()
    return connection.flow.generation === now.generation || connections.check(connection, now)
  }

  /** The proxy's wait for a packet that nothing answers, and the app's with it; over sooner when the app gives up. */
  async giveUp(flow: Flow, client: End, failure: Omit<Failure, 'symptom'>): Promise<void> {
    flow.fail({ ...failure, symptom: 'late-reset' })
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
  }

  /** Nothing listens, and a kernel says so. */
  refuse(flow: Flow, pod: Pod, { ip, port }: Address): DialAnswer {
    flow.step(nothingListens(pod.workload, port, this.#context.listening(pod.key)))
    const error = `connect ECONNREFUSED ${ip}:${port}: nothing listens there`
    flow.fail({ flag: 'CONNECT', symptom: 'refused', error })
    flow.end()
    return { kind: 'error', code: 'ECONNREFUSED', message: error }
  }

  /** A call of one of ztunnel's own ports, at a pod of that workload. */
  illegal(flow: Flow, ends: Ends, workload: string): DialAnswer {
    flow.step(ownPort(workload, ends.remote.port))
    const error = `port ${ends.remote.port} is the proxy's own: illegal call`
    flow.fail({ flag: 'ILLEGAL', symptom: 'reset', error })
    return this.accept(flow, [], ends, async (client) => client.reset())
  }

  #judge({ source, to, port, ...known }: Packet, snapshot: Snapshot): readonly CniVerdict[] | undefined {
    return judgePacket(this.#context.judgeAt, snapshot, source, to, port, 'TCP', known)
  }

  /** An open connection of which a wall wants to know now what nobody has read is none that it lists. */
  #again(packet: Packet, snapshot: Snapshot): readonly CniVerdict[] | undefined {
    const verdicts = this.#judge(packet, snapshot)
    const reads = readsOf(verdicts)
    const known = packet.payload !== undefined || (packet.eachRequest === true && reads === 'http')
    if (known || reads === undefined) return verdicts
    return this.#judge(unread(packet), snapshot)
  }
}

/** A packet whose connection nobody has read. Of a tunnel TLS is seen, and no server's name (semantics B.7). */
const unread = (packet: Packet): Packet => ({
  ...packet,
  payload: { kind: packet.port === hbonePort ? 'tls' : 'other' },
})

/** What the network says of a packet. */
export interface Word {
  readonly passes: boolean
  /** It passes so far, and the connection is to be read before anything of it is let on. */
  readonly reads?: NonNullable<CniVerdict['reads']>
}

/** Those of the two that are pods. */
export const podsOf = (...stations: readonly Station[]): readonly string[] =>
  stations.flatMap(({ key }) => (key === undefined ? [] : [key]))

/** The addresses of a connection as its client sees them. */
export interface Ends {
  readonly remote: Address
  readonly local: Address
}
