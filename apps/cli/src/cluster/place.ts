import { join } from 'node:path'
import { fileLog, type Place, spawnTools, type Tools } from '@bulkhead/kind-cluster'
import { loadManifests, type Resource } from '@bulkhead/resources'
import { type Io, note, printable } from '../io.js'
import type { StateOption } from '../options.js'
import { clusterPlace } from './own-place.js'

export { clusterPlace }

/** Where the cluster's things are, and the programs that make and ask it. */
export interface ClusterTools {
  readonly place: Place
  readonly tools: Tools
}

/** The tools of this machine, with what they say in the log. */
export function clusterTools(io: Io, options: StateOption): ClusterTools {
  const place = clusterPlace(io, options)
  const onUnwritten = (why: string): void => note(io, printable(`What the tools say is not kept: ${why}.`))
  const log = fileLog(place.log, { onUnwritten })
  return { place, tools: spawnTools({ cwd: place.root, log, env: { ...io.env } }) }
}

/** What k8s/workloads has. @throws ManifestError */
export async function workloadsOf({ root }: Place): Promise<readonly Resource[]> {
  const { resources } = await loadManifests([join(root, 'k8s/workloads')], { relativeTo: root })
  return resources
}
