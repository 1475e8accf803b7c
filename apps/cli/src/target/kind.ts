import { existsSync } from 'node:fs'
import * as kindCluster from '@bulkhead/kind-cluster'
import { fileLog, type Place, placeOf, spawnTools, type Tools } from '@bulkhead/kind-cluster'
import { CliError, type Io } from '../io.js'
import type { StateOption } from '../options.js'
import { findPlaces, stateDirectory } from '../places.js'
import type { RunningTarget } from './running.js'

/** A cluster of ours that is up, and how it is asked. */
export interface FoundKind {
  readonly target: RunningTarget
  readonly tools: Tools
  readonly place: Place
}

/** @throws a sentence that says what to type, when no cluster of ours is up */
export async function findKind(io: Io, options: StateOption): Promise<FoundKind> {
  const place = placeOf(findPlaces(io).root, stateDirectory(io, options.state))
  if (!existsSync(place.kubeconfig)) {
    throw new CliError(
      'no cluster is up here; npx bulkhead cluster up makes one (npx bulkhead cluster up --plan shows how).',
    )
  }
  const tools = spawnTools({ cwd: place.root, env: { ...io.env }, log: fileLog(place.log) })
  const { KindTarget }: { readonly KindTarget?: KindTargets; readonly placeOf: typeof placeOf } = kindCluster
  if (KindTarget === undefined) throw new CliError('this build has no way to ask a cluster.')
  return { target: KindTarget.find(place, tools), tools, place }
}

interface KindTargets {
  find(place: Place, tools: Tools): RunningTarget
}
