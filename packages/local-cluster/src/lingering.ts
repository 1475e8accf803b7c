import type { Resource } from '@bulkhead/resources'
import type { Pod, Snapshot } from '@bulkhead/verdict'
import type { Engine } from './engine.js'
import { badManifests } from './errors.js'
import { type PlanParts, type PodPlan, planPods } from './plan.js'
import type { Pods } from './pods.js'

interface Parts extends PlanParts {
  readonly engine: Engine
  readonly pods: Pick<Pods, 'has'>
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
  resources: readonly Resource[],
  waypointsReadyOnce: ReadonlySet<string>,
  { engine, pods, ...planned }: Parts,
): Promise<Compiled> {
  const options = { previous, waypointsReadyOnce }
  const plain = await badManifests(() => engine.compile(resources, options))
  const lingering = lingeringPods(previous, plain.pods, pods)
  const snapshot =
    lingering.length === 0 ? plain : await badManifests(() => engine.compile(resources, { ...options, lingering }))
  return { plain, snapshot, plans: planPods(snapshot, planned, new Set(lingering.map(({ key }) => key))) }
}
