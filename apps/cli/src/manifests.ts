import path from 'node:path'
import type { Snapshot } from '@bulkhead/verdict'
import { CliError, type Io, note } from './io.js'
import { findPlaces } from './places.js'

export interface ManifestSet {
  readonly folders: readonly string[]
  /** What `file:line` is relative to, for each folder. */
  readonly relativeTo: (folder: string) => string
  /** As messages name them. */
  readonly title: string
}

/** The clone's own manifests, or those of `--manifests DIR`. `k8s/attacks` is for scenarios, and is not in force. */
export function ownManifests(io: Io, given?: string): ManifestSet {
  const { root, k8s } = findPlaces(io, given)
  if (given !== undefined) return { folders: [k8s], relativeTo: () => io.cwd, title: given }
  return { folders: [path.join(k8s, 'workloads'), path.join(k8s, 'layers')], relativeTo: () => root, title: 'k8s/' }
}

/**
 * Reads manifests and compiles them. What is likely wrong goes to stderr, a line each.
 * @throws CliError with everything that is wrong, as file:line:column
 */
export async function compileManifests(io: Io, { folders, relativeTo, title }: ManifestSet): Promise<Snapshot> {
  // Loaded when it is needed: `bulkhead --help` is not to wait for the schemas.
  const { formatDiagnostic, loadManifests, ManifestError } = await import('@bulkhead/resources')
  const { compile, CompileError } = await import('@bulkhead/verdict')
  try {
    const { resources, warnings } = await loadManifests(folders, { relativeTo })
    for (const warning of warnings) note(io, `warning: ${formatDiagnostic(warning)}`)
    return compile(resources)
  } catch (error) {
    if (!(error instanceof ManifestError || error instanceof CompileError)) throw error
    throw new CliError(`the manifests in ${title} cannot be used:\n${error.message}`)
  }
}
