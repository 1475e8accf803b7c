import type { Change, LayerState, Target } from '@bulkhead/scenarios'
import type { FlowRecord } from '@bulkhead/verdict'

/** A change that somebody made to single objects, as it was given. */
export interface Applied {
  readonly name: string
  readonly change: Change
}

/** An object that somebody wanted to put in force, and admission did not let in. */
export interface Refused {
  /** RFC 3339 */
  readonly time: string
  /** `Kind/namespace/name` */
  readonly id: string
  /** All that refused it: `ValidatingPolicy/disallow-root-user`, `Namespace/shop`. */
  readonly policies: readonly string[]
}

/** What a lab needs of a running target. */
export interface LabTarget extends Pick<Target, 'layers' | 'predict' | 'attempt' | 'apply' | 'withdraw'> {
  /** When it was started, RFC 3339: another one for another start. */
  started(): Promise<string>
  setLayers(change: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<unknown>
  /** Ids of the objects that are in force. */
  inForce(): Promise<ReadonlySet<string>>
  /** The changes of single objects that stand, in order; not those that scenarios bring along. */
  applied(): Promise<readonly Applied[]>
  /** Takes an object out, as `bulkhead delete` does; one that is not in force is no error. */
  remove(id: string): Promise<void>
  flows(): Promise<readonly FlowRecord[]>
  /** The changes that admission refused since the target was started. */
  refused(): Promise<readonly Refused[]>
}

export const offOf = (layers: readonly LayerState[]): readonly string[] =>
  layers.filter(({ on }) => !on).map(({ name }) => name)
