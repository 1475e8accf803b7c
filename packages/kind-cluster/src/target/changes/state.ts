import { type LiveObject, textAt, valueAt } from '../live/index.js'
import { listAt } from '../live/plain.js'

/** How far the pods of an object have come. */
export interface State {
  readonly ready: boolean
  /** What a controller was told when it wanted to make a pod. */
  readonly refusal?: string
  readonly why?: string
}

/** As `kubectl rollout status` has it: all pods are of the newest template, and ready, and none of an older one is left. */
export function replicaState(live: LiveObject): State {
  const number = (...path: readonly string[]): number => Number(valueAt(live, ...path) ?? 0)
  const isDaemons = live.kind === 'DaemonSet'
  const wanted = isDaemons ? number('status', 'desiredNumberScheduled') : Number(valueAt(live, 'spec', 'replicas') ?? 1)
  const ready = isDaemons ? number('status', 'numberReady') : number('status', 'readyReplicas')
  const updated = isDaemons ? number('status', 'updatedNumberScheduled') : number('status', 'updatedReplicas')
  if (number('status', 'observedGeneration') < number('metadata', 'generation'))
    return { ready: false, why: 'its controller has not seen it yet' }
  // A ReplicaSet rolls nothing.
  const isOld = live.kind !== 'ReplicaSet' && updated < wanted
  // A Deployment starts the new pods before it ends the old ones, which are as ready as those.
  const left = live.kind === 'Deployment' ? number('status', 'replicas') - Math.min(updated, wanted) : 0
  if (left > 0) return { ready: false, why: `${left} of its pods are to go` }
  return { ready: !isOld && ready >= wanted, why: `${ready} of ${wanted} pods are ready` }
}

interface Condition {
  readonly status?: string
  readonly message?: string
  /** Of the object, when it was said. */
  readonly generation: number
}

export function conditionOf(live: LiveObject, type: string): Condition | undefined {
  const found = listAt(live, 'status', 'conditions').find((one) => valueAt(one, 'type') === type)
  if (found === undefined) return undefined
  const [status, message] = [textAt(found, 'status'), textAt(found, 'message')]
  return {
    ...(status !== undefined && { status }),
    ...(message !== undefined && { message }),
    generation: Number(valueAt(found, 'observedGeneration') ?? 0),
  }
}
