import { join } from 'node:path'
import type { Resource } from '@bulkhead/resources'
import type { Change, LayerState } from '@bulkhead/scenarios'
import type { Snapshot } from '@bulkhead/verdict'
import type { Admission, Requester } from '@bulkhead/verdict/admission'
import { givenOf, type Held, keptOf, podlessOf, storedOf } from './admission/entries.js'
import { pass } from './admission/gate.js'
import type { Refusal } from './admission/refusal.js'
import { type Admitted, admittedOf, predicted, refuseWhole } from './admission/whole.js'
import type { NamedChange, ObjectInForce } from './cluster-types.js'
import { askedAs, type Enforced, type EnforcementParts, type How, type Start } from './enforced.js'
import { badManifests, ClusterError } from './errors.js'
import { broughtBy, objectsInForce, objectsOf, putBack, type Standing, takenBy, type Wanted } from './in-force.js'
import { type Asked, type Compiled, compileBeside, lingeringPods } from './lingering.js'
import { findLayer, layersOf } from './overlay.js'
import type { PodPlan } from './plan.js'
import { Rollouts, type Settled, type Touched } from './rollouts.js'
import { WaypointOrder } from './waypoint-order.js'

/**
 * What is in force, and how it changes: one change at a time, each whole or not at all. Policies are in force at once; pods
 * follow as Kubernetes' controllers would have them, and until an old pod has ended it keeps its place in the policies.
 */
export class Enforcement {
  readonly #parts: EnforcementParts
  readonly #rollouts: Rollouts
  readonly #over = new AbortController()
  readonly #ignore: () => void
  readonly #waypoints: WaypointOrder
  #wanted: Wanted
  #held: Held
  /** Workloads of which no pod is to be started now. */
  #podless: ReadonlyMap<string, Refusal>
  /** What istiod may not change of what it made. */
  #kept: readonly Resource[]
  #plans: ReadonlyMap<string, PodPlan>
  /** With the pods that linger. */
  #snapshot: Snapshot
  /** Without them. */
  #plain: Snapshot
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: EnforcementParts, { base, snapshot, plans, held }: Start) {
    this.#parts = parts
    this.#wanted = { base, off: parts.switches.off, changes: new Map() }
    this.#held = held
    this.#podless = podlessOf(held)
    this.#kept = keptOf(held)
    parts.pods.know(snapshot.pods, this.#podless)
    this.#plans = plans
    this.#snapshot = snapshot
    this.#plain = snapshot
    this.#waypoints = new WaypointOrder(snapshot.waypointsReadyOnce, {
      pods: parts.pods,
      now: () => ({ plain: this.#plain, snapshot: this.#snapshot }),
      compile: (resources, waypointsReadyOnce) => this.#compile({ resources, waypointsReadyOnce }),
      swap: (step) => this.#swap(step),
      aim: (...wanted) => this.#aim(...wanted),
      settled: (touched) => this.settled({ touched }, parts.readyMs),
    })
    this.#ignore = parts.pods.onChange(() => this.#seeWaypoints())
    this.#rollouts = new Rollouts(parts.pods, plans, () => void this.#forget().catch(() => undefined))
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Names of the changes that stand. */
  get changes(): readonly string[] {
    return [...this.#wanted.changes.keys()]
  }

  /** The changes that stand, as they were given, in the order in which they are put on top of the files. */
  standing(): readonly NamedChange[] {
    return [...this.#wanted.changes].map(([name, { given }]) => ({ name, change: given }))
  }

  /** Every object that is in force, and what brought it. */
  objects(): readonly ObjectInForce[] {
    return objectsInForce(storedOf(this.#held), this.#wanted, (key) => givenOf(this.#held, key))
  }

  /** What was let in, and what was not. */
  get held(): Held {
    return this.#held
  }

  /** What is to run, with what may not be created. */
  get plans(): ReadonlyMap<string, PodPlan> {
    return this.#plans
  }

  layers(): readonly LayerState[] {
    return layersOf(this.#wanted.base, this.#wanted.off)
  }

  /**
   * Resolves when the pods that it concerns are as they are to be, too.
   *
   * @throws ClusterError `unknown-layer`, and as `apply`.
   */
  async setLayers(change: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<Enforced> {
    const { switches } = this.#parts
    const enforced = await this.#changed(
      (wanted) => {
        const layers = this.layers()
        const off = new Set(wanted.off)
        for (const name of change.off ?? []) off.add(findLayer(name, layers))
        for (const name of change.on ?? []) off.delete(findLayer(name, layers))
        return { ...wanted, off }
      },
      (now, tried, before) => (now.off === tried.off ? { ...now, off: before.off } : undefined),
    )
    switches.set(this.#wanted.off)
    return enforced
  }

  /**
   * Puts a change in force until it is withdrawn; the same name again replaces it. Resolves when the pods that it adds
   * are ready; when they do not become ready it is taken back.
   *
   * @throws ClusterError `bad-manifests`, `refused`, `unknown-image`, `bad-pod`, `not-ready`, `stopping`.
   */
  async apply(name: string, change: Change): Promise<Admitted> {
    const standing = await this.#read(name, change)
    const { admission } = await this.#changed(
      (wanted) => ({ ...wanted, changes: new Map(wanted.changes).set(name, standing) }),
      (now, _, before) => {
        if (now.changes.get(name) !== standing) return undefined
        const changes = new Map(now.changes)
        const earlier = before.changes.get(name)
        if (earlier === undefined) changes.delete(name)
        else changes.set(name, earlier)
        return { ...now, changes }
      },
    )
    return admission
  }

  /**
   * What admission would say of each object of the change, in order, as `apply` would ask it. Nothing is changed.
   *
   * @throws ClusterError `bad-manifests`
   */
  async admit(change: Change, user?: Requester): Promise<readonly Admission[]> {
    const name = 'admit'
    const standing = await this.#read(name, change)
    const wanted = { ...this.#wanted, changes: new Map(this.#wanted.changes).set(name, standing) }
    return predicted(this.#parts.engine, this.#held, { ...objectsOf(wanted), of: standing.objects, user })
  }

  /** @throws ClusterError `unknown-change`, and as `apply`. */
  async withdraw(name: string): Promise<void> {
    await this.#changed(
      (wanted) => {
        const changes = new Map(wanted.changes)
        if (changes.delete(name)) return { ...wanted, changes }
        const known = this.changes.join(', ')
        throw new ClusterError(
          'unknown-change',
          `no change named ${JSON.stringify(name)} stands; there are ${known || 'none'}.`,
        )
      },
      (now, _, before) => {
        const earlier = before.changes.get(name)
        if (earlier === undefined || now.changes.has(name)) return undefined
        return { ...now, changes: putBack(now.changes, name, before.changes) }
      },
      'withdraw',
    )
  }

  /**
   * Puts other files in the place of those that were read; layers that are off stay off, and changes stay on top. It does
   * not wait for pods: `settled` does, and nothing is taken back.
   *
   * @throws ClusterError `bad-manifests`, `unknown-image`, `bad-pod`, `stopping`; then nothing has changed.
   */
  reload(base: readonly Resource[]): Promise<Enforced> {
    return this.#serially(() => this.#enforce({ ...this.#wanted, base }, 'each'))
  }

  async #read(name: string, change: Change): Promise<Standing> {
    const { objects: text, file = name, without } = change
    const objects = text === undefined ? [] : await badManifests(() => this.#parts.engine.parse(text, file))
    return { objects, without: new Set(without), given: change }
  }

  /** How the pods of a reload come along. Without a limit it waits until they are as wanted, or not wanted any more. */
  settled({ touched }: Pick<Enforced, 'touched'>, timeoutMs?: number): Promise<Settled> {
    return this.#rollouts.settled(touched, {
      signal: this.#over.signal,
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
  }

  /** Refuses what comes from now on. Resolves when the change that is under way is over; it does not wait for pods any more. */
  async end(): Promise<void> {
    this.#over.abort()
    this.#ignore()
    const rolled = this.#rollouts.stop()
    await this.#last
    await rolled
  }

  /** Changes what is wanted, and waits for the pods; when they do not come up, `undo` says what is wanted instead. */
  async #changed(
    change: (wanted: Wanted) => Wanted,
    undo: (now: Wanted, tried: Wanted, before: Wanted) => Wanted | undefined,
    how: How = 'whole',
  ): Promise<Enforced> {
    const { enforced, tried, before } = await this.#serially(async () => {
      const before = this.#wanted
      const tried = change(before)
      return { enforced: await this.#enforce(tried, how), tried, before }
    })
    const { mesh, readyMs, logs } = this.#parts
    const settled = await this.settled(enforced, readyMs)
    // A pod that a label has taken into the mesh has no port 15008 for a moment, and who calls it then is told that nobody listens.
    await mesh.enrolled()
    if (settled.kind !== 'not-ready') {
      await this.#forget()
      return enforced
    }
    if (this.#over.signal.aborted) throw stopping()
    const back = await this.#serially(async () => {
      const wanted = undo(this.#wanted, tried, before)
      return wanted === undefined ? undefined : this.#enforce(wanted, 'back')
    })
    if (back !== undefined) await this.settled(back, readyMs)
    await this.#forget()
    if (settled.failure !== undefined) throw settled.failure
    const { waitingFor } = settled
    const why = waitingFor.map((pod) => join(logs, `${pod}.log`)).join(', ')
    const said = `${waitingFor.join(', ')} did not become ready, so the change was taken back; look into ${why}.`
    throw new ClusterError('not-ready', said)
  }

  /** Puts a set of objects in force. One that cannot be is refused before anything is touched. */
  async #enforce(wanted: Wanted, how: How): Promise<Enforced> {
    const { mesh, engine } = this.#parts
    const before = this.#plain
    const taken = takenBy(wanted, this.#wanted)
    const passed = await pass(engine, this.#held, { ...objectsOf(wanted), taken, how: askedAs[how] })
    if (how === 'whole') refuseWhole(this.#held, passed, { own: broughtBy(wanted, this.#wanted) })
    if (how === 'withdraw') refuseWhole(this.#held, passed, { counts: ({ operation }) => operation === 'DELETE' })
    const { held } = passed
    const resources = storedOf(held, 'running')
    const [podless, kept] = [podlessOf(held), keptOf(held)]
    const readyOnce = this.#waypoints.surviving(this.#wanted.changes, wanted.changes)
    // Whatever is wrong with it is found before anything is touched.
    const compiled = await this.#compile({ resources, podless, kept, waypointsReadyOnce: readyOnce })
    this.#waypoints.keep(readyOnce)
    // On the way there nothing is started that may not be created before or after.
    this.#podless = new Map([...this.#podless, ...podless])
    this.#kept = kept
    const prepared = await this.#waypoints.prepare(resources, compiled)
    this.#podless = podless
    const { plain, snapshot, plans } = prepared ? await this.#compile({ resources }) : compiled
    // Whoever is allowed before and after comes another way now.
    const closed = this.#swap(snapshot, { inOrder: prepared })
    const at = performance.now()
    this.#wanted = wanted
    const admission = admittedOf(this.#held, passed)
    this.#held = held
    const touched = this.#aim(plain, plans)
    return { generation: mesh.generation, closed, before, after: plain, at, touched, admission }
  }

  #compile(asked: Pick<Asked, 'resources'> & Partial<Asked>): Promise<Compiled> {
    const now = { podless: this.#podless, kept: this.#kept, waypointsReadyOnce: this.#waypoints.readyOnce }
    return compileBeside(this.#snapshot, { ...now, ...asked }, this.#parts)
  }

  #aim(plain: Snapshot, plans: ReadonlyMap<string, PodPlan>): Touched {
    this.#plain = plain
    this.#plans = plans
    this.#parts.pods.know(this.#snapshot.pods, this.#podless)
    return this.#rollouts.aim(plans)
  }

  #swap(snapshot: Snapshot, options: { readonly inOrder: boolean } = { inOrder: false }): number {
    const { mesh, adopted } = this.#parts
    const closed = mesh.swap(snapshot, mesh.generation + 1, options)
    this.#snapshot = snapshot
    adopted(snapshot)
    return closed
  }

  /** A waypoint counts from the moment one of its pods is ready; where its policies come first, that is later. */
  #seeWaypoints(): void {
    if (this.#waypoints.seen().length === 0) return
    void this.#serially(async () => {
      const ready = this.#waypoints.seen()
      if (ready.length === 0) return
      this.#waypoints.count(ready)
      const { plain, snapshot, plans } = await this.#compile({ resources: this.#plain.resources })
      this.#swap(snapshot)
      this.#aim(plain, plans)
      // These objects have been compiled before: it is refused when the target is being taken down, and then nobody waits.
    }).catch(() => undefined)
  }

  /** Pods that have ended lose their place. */
  async #forget(): Promise<void> {
    await this.#serially(async () => {
      const { engine, pods } = this.#parts
      const gone = [...this.#snapshot.pods.keys()].some((key) => isUnwanted(this.#plans.get(key)) && !pods.has(key))
      if (!gone) return
      const lingering = lingeringPods(this.#snapshot, this.#plain.pods, pods)
      const previous = this.#snapshot
      const waypointsReadyOnce = this.#waypoints.readyOnce
      const [podless, kept] = [new Set(this.#podless.keys()), this.#kept]
      this.#swap(engine.compile(this.#plain.resources, { previous, lingering, podless, kept, waypointsReadyOnce }))
    })
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(() => {
      if (this.#over.signal.aborted) throw stopping()
      return work()
    })
    this.#last = next.catch(() => undefined)
    return next
  }
}

const isUnwanted = (plan: PodPlan | undefined): boolean => plan === undefined || plan.refused !== undefined

const stopping = (): ClusterError => new ClusterError('stopping', 'the target is being taken down.')
