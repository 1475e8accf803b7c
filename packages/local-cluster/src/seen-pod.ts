import type { Pod } from '@bulkhead/verdict'
import type { ContainerStatus } from './container.js'
import type { PodPlan } from './plan.js'

/** A container's process, as it is now. */
export interface SeenContainer extends ContainerStatus {
  /** Another one at each start, as a container runtime gives them. */
  readonly id?: string
  readonly argv?: readonly string[]
  /** Of the run that is under way, or of the last one. */
  readonly started?: Date
  /** Of the last run that is over. */
  readonly ended?: Date
}

/** A pod that runs or is on its way, as it is now: what the API server tells of it. */
export interface SeenPod {
  readonly pod: Pod
  readonly plan: PodPlan
  /** Another one for each pod that has had the name. */
  readonly uid: string
  readonly created: Date
  /** Since when it is to end. */
  readonly leaving?: Date
  /** Init containers first; those that come later are not there yet. */
  readonly containers: readonly SeenContainer[]
  /** Whether the pod is ready, or one container of it. */
  ready(container?: string): boolean
}
