import { EventEmitter } from 'node:events'
import { didYouMean } from '@bulkhead/resources/suggest'
import type { Snapshot } from '@bulkhead/verdict'
import type { Refusal } from './admission/refusal.js'
import type { WorkloadStatus } from './cluster-types.js'
import { ClusterError } from './errors.js'
import { isPlayed, type PodPlan } from './plan.js'
import { type PodHost, PodRunner } from './pod-runner.js'
import { retire } from './retire.js'
import type { RunningPod } from './rollout.js'
import type { SeenPod } from './seen-pod.js'
import { callsOf, stopInOrder } from './stop-in-order.js'

const rotateEveryMs = 2000
const proxyLooks = { arrival: 500, drain: 0 }
/** A pod that was never ready and has been started again this often will not be: waiting for it ends. */
const hopelessRestarts = 3

export interface Readiness {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Of which pods (keys); default all. */
  readonly keys?: readonly string[]
  /** Called whenever another pod is ready, and once at the beginning. */
  readonly progress?: (ready: number, of: number, waitingFor: readonly string[]) => void
}

/**
 * What others wait for comes first, and what nobody does last: a machine has fewer processors than there are processes to start.
 * Kubernetes promises no order, and none is relied on.
 */
const byWait = (a: PodPlan, b: PodPlan): number => rank(a) - rank(b)

const rank = ({ kind, init, containers }: PodPlan): number => {
  if (kind === 'StatefulSet') return 0
  if (init.length > 0) return 1
  return containers.some(({ spec }) => spec.readinessProbe !== undefined) ? 2 : 3
}

/** The pods that run, and what is asked of all of them. */
export class Pods {
  readonly #host: Omit<PodHost, 'changed'>
  readonly #runners = new Map<string, PodRunner>()
  readonly #events = new EventEmitter()
  readonly #rotation: NodeJS.Timeout
  #podless: ReadonlyMap<string, Refusal> = new Map()

  constructor(host: Omit<PodHost, 'changed'>) {
    this.#host = host
    this.#events.setMaxListeners(0)
    this.#rotation = setInterval(() => {
      for (const runner of this.#runners.values()) runner.rotateLog()
    }, rotateEveryMs)
    this.#rotation.unref()
  }

  /** Starts pods; resolves when the processes of all were started, or rejects when each was tried. */
  async start(plans: readonly PodPlan[]): Promise<void> {
    const runners = [...plans].sort(byWait).map((plan) => {
      const runner = new PodRunner(plan, { ...this.#host, changed: () => this.#events.emit('changed') })
      this.#runners.set(plan.pod.key, runner)
      return runner
    })
    const results = await Promise.allSettled(runners.map((runner) => runner.start()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** Ends pods and takes them out of the mesh. Default all. */
  async end(keys: readonly string[] = [...this.#runners.keys()], graceMs?: number): Promise<void> {
    const runners = keys.flatMap((key) => this.#runners.get(key) ?? [])
    await Promise.all(runners.map((runner) => runner.stop(graceMs)))
    await Promise.all(runners.map((runner) => runner.remove()))
    for (const runner of runners) this.#runners.delete(runner.plan.pod.key)
    this.#events.emit('changed')
  }

  /** Ends every process, for good: callers before those that they call. */
  async stopAll(graceMs: number | undefined): Promise<void> {
    clearInterval(this.#rotation)
    await stopInOrder([...this.#runners.values()], () => callsOf(this.#host.mesh), graceMs)
  }

  /** Ends a pod as a rollout does, so that nothing is lost. */
  async retire(key: string): Promise<void> {
    const runner = this.#runners.get(key)
    if (runner === undefined) return
    // What a proxy carries it ends in order when it goes.
    await retire(runner, this.#host.mesh, isPlayed(runner.pod) ? proxyLooks : undefined)
    if (this.#runners.get(key) === runner) this.#runners.delete(key)
    this.#events.emit('changed')
  }

  /** Every pod that runs or is on its way, as it is now. */
  *seen(): Iterable<SeenPod> {
    for (const runner of this.#runners.values()) yield runner.seen
  }

  /** Called whenever a pod has become ready, has failed, or is gone. Returns the way to stop it. */
  onChange(listener: () => void): () => void {
    this.#events.on('changed', listener)
    return () => this.#events.off('changed', listener)
  }

  /** The pods that run or are on their way, by workload. */
  running(): ReadonlyMap<string, readonly (RunningPod & { readonly hopeless: boolean })[]> {
    const byWorkload = new Map<string, (RunningPod & { readonly hopeless: boolean })[]>()
    for (const { plan, ready, leaving: ending, restarts } of this.#runners.values()) {
      const { fingerprint, pod } = plan
      const hopeless = !ready && restarts >= hopelessRestarts
      const entry = { key: pod.key, fingerprint, ready, ending, hopeless }
      const known = byWorkload.get(pod.workload)
      if (known === undefined) byWorkload.set(pod.workload, [entry])
      else known.push(entry)
    }
    return byWorkload
  }

  /** Has everybody who follows the pods look again. */
  say(): void {
    this.#events.emit('changed')
  }

  kindOf(workload: string): string {
    return [...this.#runners.values()].find(({ plan }) => plan.pod.workload === workload)?.plan.kind ?? ''
  }

  has(key: string): boolean {
    return this.#runners.has(key)
  }

  /**
   * What other policies make of pods that run: their labels, their place in the mesh.
   *
   * @param podless workloads whose controllers may create no pods
   */
  know(pods: Snapshot['pods'], podless: ReadonlyMap<string, Refusal>): void {
    this.#podless = podless

    for (const [key, runner] of this.#runners) {
      const pod = pods.get(key)
      if (pod !== undefined) runner.pod = pod
    }
  }

  /** The pods that are not ready when all are, when those that are not never will be, or when the time is over. */
  whenReady({ timeoutMs, signal, keys, progress }: Readiness): Promise<readonly string[]> {
    const asked = () =>
      [...this.#runners.values()].filter(({ plan, leaving }) => !leaving && (keys?.includes(plan.pod.key) ?? true))
    const waiting = () => asked().filter(({ ready }) => !ready)
    let said = -1
    return new Promise((resolve) => {
      const look = () => {
        const left = waiting()
        if (left.length !== said) {
          said = left.length
          const of = asked().length
          progress?.(
            of - left.length,
            of,
            left.map(({ plan }) => plan.pod.key),
          )
        }
        if (left.every((runner) => runner.restarts >= hopelessRestarts)) over()
      }
      const over = () => {
        clearTimeout(timer)
        this.#events.off('changed', look)
        signal?.removeEventListener('abort', over)
        resolve(waiting().map(({ plan }) => plan.pod.key))
      }
      const timer = setTimeout(over, timeoutMs)
      signal?.addEventListener('abort', over, { once: true })
      this.#events.on('changed', look)
      if (signal?.aborted === true) over()
      else look()
    })
  }

  /** The pods of a workload, or the one pod of that key. @throws ClusterError `unknown-workload`, `no-pods` */
  of(workload: string): readonly PodRunner[] {
    const all = [...this.#runners.values()]
    const found = all.filter(({ plan }) => plan.pod.workload === workload || plan.pod.key === workload)
    if (found.length > 0) return found
    const refused = this.#podless.get(workload)
    if (refused !== undefined) throw new ClusterError('no-pods', `${workload} is there without pods. ${refused.told}`)
    const known = [...new Set(all.map(({ plan }) => plan.pod.workload))].sort()
    // Its namespace is what is left out most often.
    const [unqualified] = known.filter((name) => name.endsWith(`/${workload}`))
    const meant = unqualified === undefined ? didYouMean(workload, known) : `; did you mean "${unqualified}"?`
    throw new ClusterError(
      'unknown-workload',
      `there is no workload ${JSON.stringify(workload)}${meant || `; there are ${known.join(', ') || 'none'}.`}`,
    )
  }

  /** A pod of the workload to act as: a ready one when there is one. @throws ClusterError `unknown-workload`, `no-program` */
  program(workload: string): PodRunner {
    const found = this.of(workload)
    const one = found.find(({ ready }) => ready) ?? (found[0] as PodRunner)
    if (!isPlayed(one.pod)) return one
    throw new ClusterError(
      'no-program',
      `${workload} is the proxy of Gateway ${one.pod.gateway ?? one.pod.waypoint}, which the mesh plays itself: there is no program to act as; \`bulkhead logs ${workload}\` shows its requests.`,
    )
  }

  /** The token of a workload's ServiceAccount, from the file of one of its pods; undefined when none that is up has one. */
  tokenOf(workload: string): string | undefined {
    for (const { plan, token } of this.#runners.values())
      if (token !== undefined && [plan.pod.workload, plan.pod.key].includes(workload)) return token
    return undefined
  }

  workloads(): readonly WorkloadStatus[] {
    const byName = new Map<string, PodRunner[]>()
    for (const runner of this.#runners.values()) {
      const { workload } = runner.plan.pod
      byName.set(workload, [...(byName.get(workload) ?? []), runner])
    }
    return [...byName]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([workload, runners]) => ({
        workload,
        kind: runners[0]?.plan.kind ?? '',
        ready: runners.filter(({ ready }) => ready).length,
        of: runners.length,
        pods: runners.map((runner) => runner.status()),
      }))
  }
}
