import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { type Launch, spawnTied } from './container.js'
import { ClusterError } from './errors.js'
import type { ProcessList } from './processes.js'

export interface AttemptOptions {
  /** Called when the first answer of a held connection has come; awaited before the attempt's end. */
  readonly held?: () => Promise<void>
  readonly signal?: AbortSignal
}

const defaultTimeoutMs = 5000
/** Beyond an attempt's own time limit, for starting and for ending. */
const graceMs = 5000
/**
 * A probe that nobody asks for this long ends; and the one that has waited longest, when there are more than these: each has some
 * 10 MB of its own. A whole suite has some thirty callers, which take turns: with room for fewer most starts are of a probe that has just been ended.
 */
const idleMs = 5000
const mostIdle = 32

export const probeCommand = (script: string): readonly [string, ...string[]] => [process.execPath, script, 'attempts']

/** What the probe program says, a line each. */
type Said = { readonly held: true } | { readonly ready: true } | Observation

/**
 * A probe program that runs as a pod, or outside: it reads an attempt on stdin, says what it saw on stdout, and then that
 * nothing is left of it in its process; only then another one may be given to it.
 */
export class Probe {
  readonly from: string
  /** Whose end is its own. */
  readonly owner: AbortSignal
  /** Nothing of an attempt is left in it. */
  ready = true
  readonly #launch: Launch
  readonly #child: ReturnType<typeof spawnTied>
  readonly #stdin: Writable
  readonly #lines: AsyncIterator<string>
  readonly #exited: Promise<[number | null, string | null]>
  #words = ''

  constructor(from: string, owner: AbortSignal, launch: Launch, processes: ProcessList) {
    this.from = from
    this.owner = owner
    this.#launch = launch
    this.#child = spawnTied(launch, ['pipe', 'pipe', 'pipe'], processes)
    const [stdin, stdout, stderr] = this.#child.stdio as unknown as [Writable, Readable, Readable]
    this.#exited = once(this.#child, 'exit') as Promise<[number | null, string | null]>
    this.#exited.then(
      () => {
        this.ready = false
      },
      () => undefined,
    )
    stderr.on('data', (chunk: Buffer) => {
      this.#words = `${this.#words}${chunk}`.slice(-2000)
    })
    stdin.on('error', () => undefined)
    this.#stdin = stdin
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** Makes one attempt; every connection that it opened has ended when it resolves. */
  async make(run: string, attempt: ResolvedAttempt, options: AttemptOptions): Promise<Observation> {
    const kill = () => this.#child.kill('SIGKILL')
    const limit = setTimeout(kill, (attempt.timeoutMs ?? defaultTimeoutMs) + graceMs)
    options.signal?.addEventListener('abort', kill, { once: true })
    this.ready = false
    this.#launch.mark?.(run)
    this.#stdin.write(`${JSON.stringify(attempt)}\n`)
    let observation: Observation | undefined
    let held: Promise<void> = Promise.resolve()
    try {
      for (let next = await this.#lines.next(); next.done !== true; next = await this.#lines.next()) {
        const said = JSON.parse(next.value) as Said
        if ('ready' in said) {
          this.ready = true
          break
        }
        if ('held' in said) held = options.held?.() ?? held
        else observation = said
        // Heard of when it is awaited below; until then it must not count as unhandled.
        held.catch(() => undefined)
      }
      await held
      options.signal?.throwIfAborted()
      // One that something is left in takes it along.
      if (!this.ready) await this.#exited
      if (observation !== undefined) return observation
      const [code, signal] = await this.#exited
      throw new ClusterError(
        'attempt-failed',
        `the probe in ${this.from} ended (${signal ?? `exit code ${code}`}) without saying what it saw: ${this.#words.trim() || 'it said nothing'}`,
      )
    } catch (error) {
      this.ready = false
      throw error
    } finally {
      clearTimeout(limit)
      options.signal?.removeEventListener('abort', kill)
    }
  }

  async end(): Promise<void> {
    this.ready = false
    this.#child.kill('SIGKILL')
    await this.#exited.catch(() => undefined)
  }
}

/**
 * The probe programs that run. Starting one takes longer than most attempts, so that one which is ready is kept for a while:
 * whoever makes attempts makes many.
 */
export class Probes {
  readonly #processes: ProcessList
  readonly #idle = new Map<Probe, NodeJS.Timeout>()
  readonly #all = new Set<Probe>()
  readonly #owners = new WeakSet<AbortSignal>()
  readonly #closing = new AbortController()

  constructor(processes: ProcessList) {
    this.#processes = processes
  }

  /** The owner of those that are no pod's. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** A probe of that owner, for one attempt; it is to be given back. */
  borrow(from: string, owner: AbortSignal, launch: () => Launch): Probe {
    for (const [probe, timer] of this.#idle) {
      if (probe.owner !== owner || probe.from !== from || !probe.ready) continue
      clearTimeout(timer)
      this.#idle.delete(probe)
      return probe
    }
    if (!this.#owners.has(owner)) {
      this.#owners.add(owner)
      owner.addEventListener('abort', () => void this.#endIdle((one) => one.owner === owner), { once: true })
    }
    const probe = new Probe(from, owner, launch(), this.#processes)
    this.#all.add(probe)
    return probe
  }

  async giveBack(probe: Probe): Promise<void> {
    if (!probe.ready || probe.owner.aborted || this.#closing.signal.aborted) return this.#end(probe)
    this.#idle.set(
      probe,
      setTimeout(() => void this.#endIdle((one) => one === probe), idleMs),
    )
    // In the order in which they were given back.
    const [oldest] = this.#idle.keys()
    if (oldest !== undefined && this.#idle.size > mostIdle) await this.#end(oldest)
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#all].map((probe) => this.#end(probe)))
  }

  async #endIdle(which: (probe: Probe) => boolean): Promise<void> {
    await Promise.all([...this.#idle.keys()].filter(which).map((probe) => this.#end(probe)))
  }

  async #end(probe: Probe): Promise<void> {
    clearTimeout(this.#idle.get(probe))
    this.#idle.delete(probe)
    await probe.end()
    this.#all.delete(probe)
  }
}
