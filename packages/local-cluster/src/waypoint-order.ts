import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'
import type { StandingChange } from './in-force.js'
import type { Compiled } from './lingering.js'
import type { PodPlan } from './plan.js'
import type { Pods } from './pods.js'
import type { Touched } from './rollouts.js'
import { bornOf, comingWaypoints, goingWaypoints, withLastWords, withWaypoints } from './waypoint-switch.js'

/** What an order of waypoints is carried out with. */
export interface WaypointSteps {
  readonly pods: Pick<Pods, 'seen'>
  /** What the manifests say now; and the same with the pods that linger, which is in force. */
  now(): { readonly plain: Snapshot; readonly snapshot: Snapshot }
  compile(resources: readonly Resource[], readyOnce: ReadonlySet<string>): Promise<Compiled>
  swap(snapshot: Snapshot): void
  aim(plain: Snapshot, plans: ReadonlyMap<string, PodPlan>): Touched
  /** Resolves when those pods are as they are wanted, or the time that they have is over. */
  settled(touched: Touched): Promise<unknown>
}

/**
 * Which waypoints traffic goes by, and the order in which they come and go: before policies of theirs are in force their pods
 * are ready, and before those are gone nobody comes by them.
 */
export class WaypointOrder {
  readonly #steps: WaypointSteps
  /**
   * Those that have been ready once, as long as their Gateways are there: traffic goes by them from then on. One that comes
   * again under its name begins anew.
   */
  #readyOnce: Set<string>

  /** At the start nobody has come past those that are about to be ready. */
  constructor(readyOnce: ReadonlySet<string>, steps: WaypointSteps) {
    this.#readyOnce = new Set(readyOnce)
    this.#steps = steps
  }

  get readyOnce(): ReadonlySet<string> {
    return this.#readyOnce
  }

  /** Those that are the same Gateways with these changes in the place of those. */
  surviving(was: ReadonlyMap<string, StandingChange>, is: ReadonlyMap<string, StandingChange>): ReadonlySet<string> {
    const [before, after] = [bornOf(was), bornOf(is)]
    return new Set([...this.#readyOnce].filter((key) => before.get(key) === after.get(key)))
  }

  /** Forgets all others. */
  keep(keys: ReadonlySet<string>): void {
    this.#readyOnce = new Set(keys)
  }

  /** Takes the steps that come before what is wanted is in force. Resolves with whether there were any. */
  async prepare(resources: readonly Resource[], { plain, plans }: Compiled): Promise<boolean> {
    const { now, compile } = this.#steps
    const { plain: before } = now()
    const coming = comingWaypoints(plain, this.#readyOnce)
    const going = goingWaypoints(plain, this.#readyOnce)
    if (coming.length > 0)
      await this.#bring(coming, await compile(withWaypoints(before.resources, resources, coming), this.#readyOnce))
    if (going.length > 0) {
      const readyOnce = new Set([...this.#readyOnce].filter((key) => !going.includes(key)))
      const last = withLastWords(before.resources, resources, going, now().snapshot.pods.values())
      await this.#takeAway(going, await compile(last, readyOnce), plans)
    }
    return coming.length > 0 || going.length > 0
  }

  /** Those whose first pod has become ready, with nothing changed by anybody: they count from that moment. */
  seen(): readonly string[] {
    const { waypoints } = this.#steps.now().plain
    return this.#ready().filter((key) => waypoints.has(key) && !this.#readyOnce.has(key))
  }

  count(keys: readonly string[]): void {
    for (const key of keys) this.#readyOnce.add(key)
  }

  /** Nobody goes by them yet. One that is not ready in time nobody will: what policies say of those who go past it holds. */
  async #bring(keys: readonly string[], { plain, snapshot, plans }: Compiled): Promise<void> {
    const { swap, aim, settled } = this.#steps
    swap(snapshot)
    await settled(aim(plain, plans))
    this.count(this.#ready().filter((key) => keys.includes(key)))
  }

  /** Whoever calls now goes past them; who had come by them is answered before they go. */
  async #takeAway(
    keys: readonly string[],
    { plain, snapshot }: Compiled,
    plans: ReadonlyMap<string, PodPlan>,
  ): Promise<void> {
    const { swap, aim, settled } = this.#steps
    for (const key of keys) this.#readyOnce.delete(key)
    swap(snapshot)
    const { removed } = aim(plain, plans)
    const theirs = [...removed].filter(([key]) => keys.includes(snapshot.pods.get(key)?.waypoint ?? ''))
    await settled({ added: new Map(), removed: new Map(theirs) })
  }

  /** Waypoints that have a pod which is ready. */
  #ready(): readonly string[] {
    return [...this.#steps.pods.seen()].flatMap(({ pod, ready }) =>
      pod.waypoint !== undefined && ready() ? [pod.waypoint] : [],
    )
  }
}
