import type { PodPlan } from './plan.js'
import type { Pods } from './pods.js'
import { nextStep } from './rollout.js'

/** Pods that a change of what is wanted concerns. */
export interface Touched {
  /** To be started, or made anew. */
  readonly added: ReadonlyMap<string, PodPlan>
  /** Not wanted any more, with their workloads. */
  readonly removed: ReadonlyMap<string, string>
}

export interface Settling {
  readonly signal: AbortSignal
  /** For new pods to be ready. Absent: it waits for as long as it takes, also for what has failed. */
  readonly timeoutMs?: number
}

/** How it went: all is as wanted; what was wanted is not wanted any more; or these pods are not ready in time. */
export type Settled =
  | { readonly kind: 'done' }
  | { readonly kind: 'superseded' }
  | { readonly kind: 'not-ready'; readonly waitingFor: readonly string[]; readonly failure?: unknown }

/**
 * Has the pods that run become those that are wanted, as Kubernetes' controllers do: whenever a pod's state changes each
 * workload is looked at, and what is next is done. Wanting something else does not wait for what is under way.
 */
export class Rollouts {
  readonly #pods: Pods
  readonly #gone: () => void
  readonly #ignore: () => void
  #wanted: ReadonlyMap<string, PodPlan>
  /** Starts that failed, by key; not tried again until something else is wanted there. */
  readonly #failures = new Map<string, { readonly plan: PodPlan; readonly failure: unknown }>()
  readonly #underWay = new Set<Promise<void>>()
  #stopped = false
  #stepping = false

  /** @param gone called when a pod has ended */
  constructor(pods: Pods, wanted: ReadonlyMap<string, PodPlan>, gone: () => void) {
    this.#pods = pods
    this.#wanted = wanted
    this.#gone = gone
    this.#ignore = pods.onChange(() => this.#step())
  }

  /** From now on these pods are wanted. */
  aim(wanted: ReadonlyMap<string, PodPlan>): Touched {
    const before = this.#wanted
    this.#wanted = wanted
    for (const [key, { plan }] of this.#failures)
      if (wanted.get(key)?.fingerprint !== plan.fingerprint) this.#failures.delete(key)
    const added = new Map(
      [...wanted].filter(([key, plan]) => {
        const was = before.get(key)
        return plan.refused === undefined && (was?.fingerprint !== plan.fingerprint || was.refused !== undefined)
      }),
    )
    const removed = new Map<string, string>()
    // An old pod stays for as long as what is to replace it may not be created, and nobody waits for its end.
    const held = new Set(
      [...wanted.values()].flatMap(({ pod, refused }) => (refused === undefined ? [] : [pod.workload])),
    )
    for (const { pod, refused } of before.values())
      if (!wanted.has(pod.key) && refused === undefined && !held.has(pod.workload)) removed.set(pod.key, pod.workload)
    // What an earlier rollout did not come to end is this one's to end.
    const running = this.#pods.running()
    for (const workload of new Set([...[...added.values()].map(({ pod }) => pod.workload), ...removed.values()])) {
      for (const { key } of running.get(workload) ?? []) if (!wanted.has(key)) removed.set(key, workload)
    }
    this.#step()
    return { added, removed }
  }

  /** Resolves when what was touched is as it was wanted, when something else is wanted, or when the time is over. */
  settled({ added, removed }: Touched, { signal, timeoutMs }: Settling): Promise<Settled> {
    return new Promise((resolve) => {
      const look = () => {
        const settled = this.#look(added, removed, timeoutMs === undefined)
        if (settled !== undefined) over(settled)
      }
      const over = (settled: Settled) => {
        clearTimeout(timer)
        ignore()
        signal.removeEventListener('abort', late)
        resolve(settled)
      }
      const late = () => {
        const waitingFor = this.#waitingFor(added)
        // An old pod's end has a limit of its own: its grace period.
        if (waitingFor.length > 0 || signal.aborted) over({ kind: 'not-ready', waitingFor })
      }
      const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
      const ignore = this.#pods.onChange(look)
      signal.addEventListener('abort', late, { once: true })
      if (signal.aborted) late()
      else look()
    })
  }

  /** Starts and ends nothing more. Resolves when what is under way is over. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#ignore()
    await Promise.allSettled([...this.#underWay])
  }

  #look(added: Touched['added'], removed: Touched['removed'], patient: boolean): Settled | undefined {
    const stale = [...added].some(([key, plan]) => this.#wanted.get(key)?.fingerprint !== plan.fingerprint)
    const gone = [...removed.keys()]
    if (stale || gone.some((key) => this.#wanted.has(key))) return { kind: 'superseded' }
    const waitingFor = this.#waitingFor(added)
    if (waitingFor.length === 0) return gone.some((key) => this.#pods.has(key)) ? undefined : { kind: 'done' }
    if (patient) return undefined
    for (const key of waitingFor) {
      const failed = this.#failures.get(key)
      if (failed !== undefined) return { kind: 'not-ready', waitingFor, failure: failed.failure }
    }
    const hopeless = new Set([...this.#running()].filter((pod) => pod.hopeless).map(({ key }) => key))
    return waitingFor.some((key) => hopeless.has(key)) ? { kind: 'not-ready', waitingFor } : undefined
  }

  #waitingFor(added: Touched['added']): readonly string[] {
    const running = new Map([...this.#running()].map((pod) => [pod.key, pod]))
    return [...added].flatMap(([key, { fingerprint }]) => {
      const pod = running.get(key)
      return pod?.ready && !pod.ending && pod.fingerprint === fingerprint ? [] : [key]
    })
  }

  *#running() {
    for (const pods of this.#pods.running().values()) yield* pods
  }

  #step(): void {
    // What is done below makes pods change, which calls for another look when this one is over.
    if (this.#stopped || this.#stepping) return
    this.#stepping = true
    try {
      while (this.#stepOnce()) {
        // Until nothing is left to do at once.
      }
    } finally {
      this.#stepping = false
    }
  }

  #stepOnce(): boolean {
    const running = this.#pods.running()
    const wanted = new Map<string, PodPlan[]>()
    for (const plan of this.#wanted.values())
      wanted.set(plan.pod.workload, [...(wanted.get(plan.pod.workload) ?? []), plan])
    let did = false
    for (const workload of new Set([...wanted.keys(), ...running.keys()])) {
      const plans = wanted.get(workload) ?? []
      const pods = running.get(workload) ?? []
      const kind = plans[0]?.kind ?? this.#pods.kindOf(workload)
      const asWanted = plans.map(({ pod, fingerprint }) => ({ key: pod.key, fingerprint }))
      const { start: next, end } = nextStep(kind, asWanted, pods)
      // A pod that may not be created is waited for as for one that does not become ready.
      const start = plans.filter(({ pod, refused }) => refused === undefined && next.includes(pod.key))
      did ||= start.length + end.length > 0
      for (const plan of start) this.#start(plan)
      for (const key of end) this.#track(this.#pods.retire(key).then(this.#gone))
    }
    return did
  }

  #start(plan: PodPlan): void {
    this.#track(
      this.#pods.start([plan]).catch((failure: unknown) => {
        this.#failures.set(plan.pod.key, { plan, failure })
        this.#pods.say()
      }),
    )
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
  }
}
