import type { MeshApi } from '@bulkhead/mesh'
import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'
import type { Held } from './admission/entries.js'
import type { Admitted } from './admission/whole.js'
import type { Engine } from './engine.js'
import type { LayerSwitches } from './overlay.js'
import type { PlanParts, PodPlan } from './plan.js'
import type { Pods } from './pods.js'
import type { Touched } from './rollouts.js'

export interface EnforcementParts extends PlanParts {
  readonly engine: Engine
  readonly switches: LayerSwitches
  readonly mesh: MeshApi
  readonly pods: Pods
  /** How long new pods of a change may take until they are ready, before it is taken back. */
  readonly readyMs: number
  /** Where the pods' logs are, to be named when a change fails. */
  readonly logs: string
  /** Called when other policies are in force. */
  readonly adopted: (snapshot: Snapshot) => void
}

/** What was read, and what of it is in force. */
export interface Start {
  readonly base: readonly Resource[]
  readonly snapshot: Snapshot
  readonly plans: ReadonlyMap<string, PodPlan>
  /** What of the base was let in. */
  readonly held: Held
}

/** Other policies are in force; the pods follow. */
export interface Enforced {
  readonly generation: number
  /** Open connections that were closed by it. */
  readonly closed: number
  /** What the manifests said before and say now; pods that only linger are in neither. */
  readonly before: Snapshot
  readonly after: Snapshot
  /** `performance.now()` when it was in force. */
  readonly at: number
  readonly touched: Touched
  readonly admission: Admitted
}

/**
 * What admission's refusals do: `each` refused object is left out (a save), the `whole` change is refused, or nothing is: what
 * was let in before comes `back`. `withdraw`: the same, and who may take something away is asked.
 */
export type How = 'each' | 'whole' | 'withdraw' | 'back'

export const askedAs = { each: 'ask', whole: 'ask', withdraw: 'back', back: 'as-before' } as const
