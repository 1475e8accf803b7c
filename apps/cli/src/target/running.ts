import type { Explanation } from '@bulkhead/analysis'
import type { LayersChanged } from '@bulkhead/control'
import type { LayerState, Target } from '@bulkhead/scenarios'
import type { Flow } from '@bulkhead/verdict'
import type { Io } from '../io.js'
import type { OnOption, StateOption } from '../options.js'
import { findTarget } from './find.js'

/** What became of a switch of layers; what it opened and closed is worked out where policies change as one, on the local target. */
export interface Switched extends Partial<Omit<LayersChanged, 'layers'>> {
  readonly layers: readonly LayerState[]
}

/** What commands ask of what is up, wherever that is: the local target, or a cluster. */
export interface RunningTarget extends Target {
  explain(flow: Flow): Promise<Explanation>
  /** Takes layers down and puts them back; resolves when that is in force. */
  setLayers(change: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<Switched>
  /** Where several processes may be at it: does something while no other changes it, or attacks it, and rejects where one does. */
  alone?<T>(work: () => Promise<T>): Promise<T>
}

/** Tries something on what is up, kept apart from what others do there at the same time. */
export const onItsOwn = <T>(target: Pick<RunningTarget, 'alone'>, work: () => Promise<T>): Promise<T> =>
  target.alone === undefined ? work() : target.alone(work)

/**
 * The target that `--on` means: the one that runs on this machine, or the cluster.
 * @throws a sentence that says what to type, when it is not up
 */
export async function findRunning(io: Io, options: OnOption & StateOption): Promise<RunningTarget> {
  if (options.on !== 'kind') return findTarget(io, options)
  const { findKind } = await import('./kind.js')
  return findKind(io, options).target
}
