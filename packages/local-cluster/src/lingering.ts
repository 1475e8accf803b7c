import type { Resource } from '@bulkhead/resources'
import type { Pod, Snapshot } from '@bulkhead/verdict'
import type { Refusal } from './admission/refusal.js'
import type { Engine } from './engine.js'
import { badManifests } from './errors.js'
import { type PlanParts, type PodPlan, planPods, planRefused } from './plan.js'
import type { Pods } from './pods.js'

interface Parts extends PlanParts {
  readonly engine: Engine
  readonly pods: Pick<Pods, 'has'>
}

/** What is to be in force. */
export interface Asked {
  readonly resources: readonly Resource[]
  /** Workloads that have no pods, and why. */
  readonly podless: ReadonlyMap<string, Refusal>
  /** What istiod made of Gateways and may not change. */
  readonly kept: readonly Resource[]
  readonly waypointsReadyOnce: ReadonlySet<string>
}

export interface Compiled {
  /** What the objects ask for. */
  readonly plain: Snapshot
  /** With the pods that are there still: what is to be in force. */
  readonly snapshot: Snapshot
  readonly plans: ReadonlyMap<string, PodPlan>
}

/** Pods that run and that no object asks for any more. */
export function lingeringPods(
  previous: Snapshot,
  wanted: Snapshot['pods'],
  running: Pick<Pods, 'has'>,
): readonly Pod[] {
  return [...previous.pods.values()].filter(({ key }) => !wanted.has(key) && running.has(key))
}

/**
 * Compiles objects beside what runs: an old pod that no object asks for any more keeps its place in the policies until it has
 * ended. A pod that is made anew under its name is judged by its new template from now on.
 *
 * @throws ClusterError `bad-manifests`, `unknown-image`, `bad-pod`
 */
export async function compileBeside(
  previous: Snapshot,
  { resources, podless, kept, waypointsReadyOnce }: Asked,
  { engine, pods, ...planned }: Parts,
): Promise<Compiled> {
  const common = { previous, kept, waypointsReadyOnce }
  const options = { ...common, podless: new Set(podless.keys()) }
  const plain = await badManifests(() => engine.compile(resources, options))
  const lingering = lingeringPods(previous, plain.pods, pods)
  const snapshot =
    lingering.length === 0 ? plain : await badManifests(() => engine.compile(resources, { ...options, lingering }))
  const plans = planPods(snapshot, planned, new Set(lingering.map(({ key }) => key)))
  if (podless.size === 0) return { plain, snapshot, plans }
  const refused = planRefused(engine.compile(resources, common), podless)
  return { plain, snapshot, plans: new Map([...plans, ...refused]) }
}

/**
 * The same at the start, when nothing runs.
 *
 * @throws ClusterError `bad-manifests`, `unknown-image`, `bad-pod`
 */
export async function compileFirst(
  { resources, podless }: Pick<Asked, 'resources' | 'podless'>,
  { engine, ...planned }: Omit<Parts, 'pods'>,
): Promise<Pick<Compiled, 'snapshot' | 'plans'>> {
  const whole = await badManifests(() => engine.compile(resources))
  const snapshot = podless.size === 0 ? whole : engine.compile(resources, { podless: new Set(podless.keys()) })
  return { snapshot, plans: new Map([...planPods(snapshot, planned), ...planRefused(whole, podless)]) }
}
