import { existsSync } from 'node:fs'
import { KindTarget, type Place, type Tools } from '@bulkhead/kind-cluster'
import { clusterPlace, clusterTools } from '../cluster/place.js'
import { type Io, note, printable } from '../io.js'
import type { StateOption } from '../options.js'
import { RefusedWith } from '../refused.js'

/** A cluster of ours that is up, and how it is asked. */
export interface FoundKind {
  readonly target: KindTarget
  readonly tools: Tools
  readonly place: Place
}

/** @throws a sentence that says what to type, when no cluster of ours is up */
export function findKind(io: Io, options: StateOption): FoundKind {
  if (!existsSync(clusterPlace(io, options).kubeconfig)) {
    throw new RefusedWith(
      'none',
      'no cluster is up here; npx bulkhead cluster up makes one (npx bulkhead cluster up --plan shows how).',
    )
  }
  const { place, tools } = clusterTools(io, options)
  const onNote = (text: string): void => note(io, printable(text))
  return { target: KindTarget.find(place, tools, { onNote, signal: io.signal }), tools, place }
}
