import type { FlowFlag, FlowRecord, Outcome, Point, PointVerdict, Protocol, Step, Symptom } from '@bulkhead/verdict'
import type { MeshLog } from './types.js'

/** Points in the order in which a connection passes them. */
const PATH: readonly Point[] = ['admission', 'cni-egress', 'cni-ingress', 'waypoint', 'gateway', 'ztunnel']

const REFUSED: ReadonlySet<FlowFlag> = new Set(['ILLEGAL', 'TLS_FAILURE'])

export interface FlowStart {
  readonly generation: number
  readonly source: FlowRecord['source']
  readonly destination: FlowRecord['destination']
  readonly protocol: Protocol
  readonly transport: FlowRecord['transport']
  readonly run?: string | undefined
  /** A proxy's own connection: what it carries has its record at that proxy. */
  readonly proxied?: true
}

/** How a connection failed. The first failure told is kept: what follows from it (a closed stream, a reset) is not news. */
export interface Failure {
  readonly flag: FlowFlag
  readonly symptom: Symptom
  readonly error: string
}

/**
 * One connection from its first packet to its end. Both sides of it write here (they are one process), each what it
 * learned itself; `end` makes the record, once.
 */
export class Flow {
  readonly #log: FlowLog
  readonly #started = Date.now()
  readonly #clock = performance.now()
  readonly #points = new Map<Point, readonly Step[]>()
  #first: readonly Step[] = []
  #past: readonly Step[] = []
  #last: readonly Step[] = []
  #behind: readonly Step[] = []
  #answered: Failure | undefined
  #steps: readonly Step[] | undefined
  #failure: Failure | undefined
  #ended = false
  #leaving = false
  readonly run: string | undefined
  readonly proxied: boolean
  /** Called whenever there is more to say of it. */
  changed: (() => void) | undefined
  protocol: Protocol
  generation: number
  /** Of the policies that it set out under. */
  readonly begun: number
  source: FlowRecord['source']
  destination: FlowRecord['destination']
  transport: FlowRecord['transport']
  /** The server's name in its ClientHello, once that was read. */
  sni: string | undefined
  bytesSent = 0
  bytesReceived = 0

  constructor(log: FlowLog, start: FlowStart) {
    this.#log = log
    this.run = start.run
    this.proxied = start.proxied === true
    this.protocol = start.protocol
    this.generation = start.generation
    this.begun = start.generation
    this.source = start.source
    this.destination = start.destination
    this.transport = start.transport
  }

  get failure(): Failure | undefined {
    return this.#failure
  }

  get ended(): boolean {
    return this.#ended
  }

  /** What a point says now; a later word of the same point takes the earlier one's place. */
  judged(verdict: PointVerdict, generation: number): void {
    this.#points.set(verdict.point, verdict.steps)
    this.#say()
    this.generation = generation
  }

  /** What was said of the question that came before it: for its address. Comes before all points. */
  asked(steps: readonly Step[]): void {
    this.#first = steps
    this.#say()
  }

  /** That it goes past a waypoint: told before all points, since it is none of them. */
  goesPast(step: Step): void {
    this.#past = [step]
    this.#say()
  }

  /** A step that is no policy's: the network's or the HBONE port's own. Comes after all points. */
  step(step: Omit<Step, 'hop'>): void {
    this.#last = [...this.#last, { hop: 0, ...step }]
    this.#say()
  }

  /**
   * What became, behind a proxy that it leads to, of what it carries now: the steps there (hops counted from this
   * connection on), and what the proxy answered in the place of whoever was asked.
   */
  behind(steps: readonly Step[], answered?: Failure): void {
    if (steps.length + this.#behind.length === 0 && answered === this.#answered) return
    this.#behind = steps
    this.#answered = answered
    this.#say()
  }

  get answered(): Failure | undefined {
    return this.#answered
  }

  /** What has been said of it so far, in the order of the path. The same array until more is said. */
  get steps(): readonly Step[] {
    this.#steps ??= [
      ...this.#first,
      ...this.#past,
      ...PATH.flatMap((point) => this.#points.get(point) ?? []),
      ...this.#last,
      ...this.#behind,
    ]
    return this.#steps
  }

  fail(failure: Failure): void {
    this.#failure ??= failure
    this.arrived()
    this.changed?.()
  }

  #say(): void {
    this.#steps = undefined
    this.changed?.()
  }

  /** It is on its way to that pod, and counts as such until what listens there has it, or it is over. */
  approaches(pod: string): void {
    this.#log.approaching.set(this, pod)
  }

  arrived(): void {
    this.#log.approaching.delete(this)
  }

  /** It is to end in order: what is under way on it is answered, and nothing more is to be asked on it. */
  leaves(): void {
    this.#leaving = true
  }

  get leaving(): boolean {
    return this.#leaving
  }

  /** Ends it without a record: what it carried has records of its own. A failure is told all the same. */
  drop(): void {
    this.arrived()
    if (this.#failure === undefined) this.#ended = true
  }

  end(): void {
    this.arrived()
    if (this.#ended) return
    this.#ended = true
    const { steps } = this
    const decided = firstRefusal(steps)
    // Refused before any point was asked: an illegal call, a handshake that was none.
    const refused = this.#failure !== undefined && REFUSED.has(this.#failure.flag)
    const { error, flag = '-', symptom = 'ok' } = this.#failure ?? {}
    this.#log.add((id) => ({
      id,
      generation: this.generation,
      start: new Date(this.#started).toISOString(),
      durationMs: Math.round((performance.now() - this.#clock) * 1000) / 1000,
      source: this.source,
      destination: this.destination,
      protocol: this.protocol,
      transport: this.transport,
      ...(this.sni === undefined ? {} : { sni: this.sni }),
      outcome: refused && decided.outcome === 'allow' ? 'deny' : decided.outcome,
      steps,
      ...(decided.index === undefined ? {} : { decidedBy: decided.index }),
      symptom,
      flag,
      ...(error === undefined ? {} : { error }),
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      ...(this.run === undefined ? {} : { run: this.run }),
    }))
  }
}

/** The first deny decides; with none, the first unknown does, since it is enforced as a deny. */
export function firstRefusal(steps: readonly Step[]): { outcome: Outcome; index?: number } {
  let unknown: number | undefined
  for (let index = 0; index < steps.length; index += 1) {
    const outcome = steps[index]?.outcome
    if (outcome === 'deny') return { outcome, index }
    if (outcome === 'unknown') unknown ??= index
  }
  return unknown === undefined ? ALLOWED : { outcome: 'unknown', index: unknown }
}

const ALLOWED = { outcome: 'allow' } as const

/** The records kept, the newest `size` of them, and those who want to hear of each. */
export class FlowLog {
  readonly #size: number
  readonly #log: MeshLog | undefined
  readonly #listeners = new Set<(record: FlowRecord) => void>()
  readonly #ring: FlowRecord[] = []
  /** Connections that are on their way, and the keys of the pods that they were sent to. */
  readonly approaching = new Map<Flow, string>()
  #next = 1

  constructor(size: number, log?: MeshLog) {
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`flowRing must be a whole number from 1, got ${size}`)
    this.#size = size
    this.#log = log
  }

  start(start: FlowStart): Flow {
    return new Flow(this, start)
  }

  add(make: (id: number) => FlowRecord): void {
    const record = make(this.#next)
    this.#ring[(this.#next - 1) % this.#size] = record
    this.#next += 1
    for (const listener of this.#listeners) {
      try {
        listener(record)
      } catch (error) {
        // A listener's trouble must not become the connection's.
        this.#log?.error({ err: error, flow: record.id }, 'a listener of flow records threw')
      }
    }
  }

  /** Oldest first. */
  records(filter: { readonly run?: string } = {}): readonly FlowRecord[] {
    const cut = this.#next - 1 <= this.#size ? 0 : (this.#next - 1) % this.#size
    const ordered = [...this.#ring.slice(cut), ...this.#ring.slice(0, cut)]
    return filter.run === undefined ? ordered : ordered.filter((record) => record.run === filter.run)
  }

  onFlow(listener: (record: FlowRecord) => void): () => void {
    const own = (record: FlowRecord) => listener(record)
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }
}
