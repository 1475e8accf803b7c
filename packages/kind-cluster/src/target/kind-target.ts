import { existsSync } from 'node:fs'
import { type Explanation, explain } from '@bulkhead/analysis'
import type { Attempt, Change, Evidence, ResolvedAttempt, Sighting, Target, Witness } from '@bulkhead/scenarios'
import { sightingsWithoutLoot, withoutLoot } from '@bulkhead/scenarios/loot'
import { type Flow, judge, type Pod, type Verdict } from '@bulkhead/verdict'
import { collectSightings, earlyMs, followSightings, slackMs } from '../evidence/index.js'
import { Limit } from '../limit.js'
import { locked } from '../lock.js'
import { checkOurs } from '../ours.js'
import { findOutside } from '../outside/index.js'
import type { Place } from '../place.js'
import { readRecord } from '../record.js'
import type { RunOptions, Tools } from '../tools.js'
import { Apart } from './apart.js'
import { fromNode } from './attempt/from-node.js'
import { Loot } from './attempt/loot.js'
import { isOnOutside, provesNothing } from './attempt/nowhere.js'
import { partiesOf } from './attempt/parties.js'
import { ran } from './attempt/ran.js'
import { resolveAttempt, resolveFromOutside } from './attempt/resolve.js'
import { type AttemptOptions, type Made, makeAttempt } from './attempt/run.js'
import { type Caller, callerOf } from './attempt/where.js'
import { World } from './attempt/world.js'
import { Changes } from './changes/index.js'
import { NodeClock } from './clock.js'
import { TargetError } from './errors.js'
import { type ClusterLayer, layersOf, type Switch, switchedOf, switchLayers } from './layers.js'
import { type Live, LiveReader } from './live/index.js'
import { Settle, type SettleOptions } from './settle.js'

export interface KindTargetOptions extends Pick<SettleOptions, 'pauseMs' | 'meshMs' | 'networkMs'> {
  /** How many programs run in pods at once. Default 4: each has a stream through the API server. */
  readonly atOnce?: number
  /** Told a sentence of what whoever runs it has to know: what an ended run had left, what did not come about in time. */
  readonly onNote?: (note: string) => void
  /** How long a change's pods may take until they are ready, in milliseconds. Default 2 minutes. */
  readonly readyMs?: number
  /** Between two attempts whose records nothing tells apart, in milliseconds. Default: the time in which either's are looked for. */
  readonly apartMs?: number
  /** How long what was read of the cluster is good for, in milliseconds. */
  readonly keptMs?: number
  /** Calls off what only reads. What was changed is taken back all the same. */
  readonly signal?: AbortSignal
}

/**
 * A cluster of kind's as a target: its objects judged by the engine, attempts made by programs in its pods, and what its real walls
 * wrote down of them.
 */
export class KindTarget implements Target {
  readonly name = 'kind'
  readonly #tools: Tools
  readonly #place: Place
  readonly #options: KindTargetOptions
  readonly #reader: LiveReader
  readonly #changes: Changes
  readonly #settle: Settle
  readonly #loot: Loot
  readonly #limit: Limit
  readonly #world: World
  readonly #apart: Apart
  readonly #clock: NodeClock
  #ready: Promise<void> | undefined

  private constructor(place: Place, tools: Tools, options: KindTargetOptions) {
    const { keptMs, atOnce = 4, apartMs = slackMs + earlyMs, signal, ...settling } = options
    const reading = { ...(keptMs !== undefined && { keptMs }), ...(signal !== undefined && { signal }) }
    this.#tools = tools
    this.#place = place
    this.#options = options
    this.#reader = new LiveReader({ tools, place, ...reading })
    this.#settle = new Settle({ tools, place, ...settling })
    const { pauseMs, readyMs } = options
    this.#changes = new Changes({
      ...{ tools, place, settle: this.#settle },
      ...(pauseMs !== undefined && { pauseMs }),
      ...(readyMs !== undefined && { readyMs }),
    })
    this.#loot = new Loot(tools, place)
    this.#limit = new Limit(atOnce)
    this.#world = new World(tools)
    this.#apart = new Apart(apartMs)
    this.#clock = new NodeClock({ tools, onNote: (note) => this.#note([note]) })
  }

  /** @throws TargetError `no-cluster` when none of ours is up. Whether it is ours is asked of it at the first use. */
  static find(place: Place, tools: Tools, options: KindTargetOptions = {}): KindTarget {
    if (existsSync(place.kubeconfig)) return new KindTarget(place, tools, options)
    throw new TargetError('no-cluster', 'no cluster is up here; `npx bulkhead cluster up` makes one.')
  }

  async layers(): Promise<readonly ClusterLayer[]> {
    return this.#layersOf(await this.live())
  }

  async #layersOf({ missing, drifted }: Live): Promise<readonly ClusterLayer[]> {
    return layersOf(await this.#reader.files(), missing, drifted)
  }

  /**
   * Takes layers down and puts them up; resolves when that is in force.
   * @throws LockedError when another process changes the cluster, or attacks it
   */
  async setLayers(change: Switch, signal?: AbortSignal): Promise<{ readonly layers: readonly ClusterLayer[] }> {
    const switched = switchedOf(change, await this.layers())
    const files = await this.#reader.files()
    const names: ReadonlySet<string> = new Set([...switched.on, ...switched.off])
    const objects = files.filter(({ layer }) => layer !== undefined && names.has(layer)).map(({ object }) => object)
    const switching = async (): Promise<readonly string[]> => {
      const before = await this.#settle.before(objects)
      await switchLayers(switched, { tools: this.#tools, place: this.#place, ...(signal !== undefined && { signal }) })
      return this.#settle.after(before, objects)
    }
    await this.#changing(switching)
    return { layers: await this.layers() }
  }

  async predict(flow: Flow): Promise<Verdict> {
    return judge(flow, (await this.live()).snapshot)
  }

  async explain(flow: Flow): Promise<Explanation> {
    return explain(flow, (await this.live()).snapshot)
  }

  async admit(change: Change): ReturnType<Target['admit']> {
    return this.#changes.admit(change, await this.live())
  }

  /** What others change at the same time is theirs to keep apart: whoever runs scenarios does. */
  async apply(name: string, change: Change): Promise<void> {
    await this.#started()
    this.#reader.forget()
    const live = await this.live()
    await this.#changing(() => this.#changes.apply(name, change, live))
  }

  async withdraw(name: string): Promise<void> {
    await this.#started()
    await this.#changing(() => this.#changes.withdraw(name))
  }

  /**
   * Whatever is tried on the cluster while nobody else changes it: what another process takes down meanwhile would look like a difference.
   * @throws LockedError when another process changes the cluster, or attacks it
   */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return locked(this.#place, work)
  }

  /** Whose cluster it is, is asked before each change: a file can be exchanged, and a port be somebody else's by now. */
  #changing(what: () => Promise<readonly string[]>): Promise<void> {
    return this.alone(async () => {
      await this.#checkOurs()
      try {
        this.#note(await what())
      } finally {
        this.#reader.forget()
      }
    })
  }

  /** @throws TargetError: `not-makeable` is no failure, but an attempt that a cluster has no way to make. */
  async attempt(from: string, attempt: Attempt, options: AttemptOptions = {}): Promise<Evidence> {
    const live = await this.live()
    if (attempt.kind === 'run') return { observation: ran(from, live), flows: [], sightings: [] }
    const { signal } = options
    const asking = signal === undefined ? {} : { signal }
    const caller = callerOf(from, attempt, live)
    const pod = 'pod' in caller ? podBehind(caller, live) : undefined
    const outside = isOnOutside(attempt) ? await findOutside(this.#tools, options) : undefined
    const resolved = {
      ...(caller.kind === 'outside'
        ? resolveFromOutside(attempt, live.snapshot)
        : resolveAttempt(from, attempt, live.snapshot, pod, outside)),
      ...(await this.#loot.of(attempt, live)),
    }
    const parties = partiesOf(from, { ...attempt, host: resolved.host }, live.snapshot, pod, outside)
    const held = attempt.hold === true
    const claims = options.records !== 'none'
    // A held one waits for a change, which others' attempts must not keep from being tried.
    const limit = held ? new Limit(1) : this.#limit
    const making = async (): Promise<{ readonly made: Made; readonly since: Date; readonly until: Date }> => {
      const ahead = claims ? await this.#clock.aheadMs(asking) : 0
      const now = (): Date => new Date(Date.now() + ahead)
      const since = now()
      const one = await this.#make(caller, resolved, options)
      return { made: one, since, until: now() }
    }
    const limited = (): ReturnType<typeof making> => limit.run(making)
    const { made, since, until } = await (claims ? this.#apart.run({ ...parties, held }, limited, signal) : limited())
    const notes = [...made.notes]
    const observation = withoutLoot(made.observation, resolved)
    if (!claims) return { observation, flows: [], ...(notes.length > 0 && { notes }) }
    const unread = new Set<Witness>()
    const sightings = await collectSightings(
      { tools: this.#tools, place: this.#place },
      { ...parties, since, until },
      {
        stopped: made.observation.symptom !== 'ok',
        onUnread: (what, by) => {
          notes.push(what)
          for (const one of by) unread.add(one)
        },
        ...(this.#options.pauseMs !== undefined && { pauseMs: this.#options.pauseMs }),
        ...asking,
      },
    )
    if (observation.symptom !== 'ok') {
      const why = provesNothing(attempt, sightings)
      if (why !== undefined) throw new TargetError('attempt-failed', [why, ...notes].join(' '))
      const far = await this.#world.outOfReach(from, attempt, { sightings, snapshot: live.snapshot }, asking)
      if (far !== undefined) throw new TargetError('not-makeable', far)
    }
    const shown = sightingsWithoutLoot(sightings, resolved)
    const missing = { ...(unread.size > 0 && { unread: [...unread] }), ...(notes.length > 0 && { notes }) }
    return { observation, flows: [], sightings: shown, ...missing }
  }

  async #make(caller: Caller, resolved: ResolvedAttempt, options: AttemptOptions): Promise<Made> {
    if (caller.kind === 'node')
      return { observation: await fromNode(caller.node, resolved, this.#tools, options.signal), notes: [] }
    return makeAttempt(caller, resolved, { tools: this.#tools, place: this.#place }, options)
  }

  /** What the cluster's walls say, as they say it, until the signal. */
  async *sightings(signal: AbortSignal): AsyncGenerator<Sighting> {
    await this.#started()
    yield* followSightings({ tools: this.#tools, place: this.#place }, signal)
  }

  /** What is in force now, and what the engine makes of it; kept for a moment. */
  async live(): Promise<Live> {
    await this.#started()
    return this.#reader.now(this.#changes.standing())
  }

  /** Once: that it is our cluster, and that nothing stands on it which an ended run has left. */
  #started(): Promise<void> {
    this.#ready ??= this.#start()
    // A cluster that did not answer is asked again.
    this.#ready.catch(() => {
      this.#ready = undefined
    })
    return this.#ready
  }

  async #start(): Promise<void> {
    const { signal } = this.#options
    await this.#checkOurs(signal === undefined ? {} : { signal })
    const mended = await this.#changes.mend()
    this.#note(
      mended.map(
        (name) =>
          `a run that was ended in the middle had left the change "${name}" on the cluster; it has been taken back`,
      ),
    )
  }

  #checkOurs(options: RunOptions = {}): Promise<void> {
    return checkOurs(this.#tools, this.#place, readRecord(this.#place), options)
  }

  #note(notes: readonly string[]): void {
    for (const note of notes) this.#options.onNote?.(note)
  }
}

function podBehind({ pod }: Extract<Caller, { readonly pod: unknown }>, { snapshot }: Live): Pod | undefined {
  return snapshot.pods.get(`${pod.metadata.namespace}/${pod.metadata.name}`)
}
