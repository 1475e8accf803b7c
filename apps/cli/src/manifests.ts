import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'
import { CliError, type Io, note } from './io.js'
import { findPlaces, requireFolder } from './places.js'

export interface ManifestSet {
  readonly folders: readonly string[]
  /** What `file:line` is relative to, for each folder. */
  readonly relativeTo: (folder: string) => string
  /** As messages name them. */
  readonly title: string
}

export interface CompileManifestsOptions {
  /** Which of the objects are judged. Default: all. */
  readonly choose?: (resources: readonly Resource[]) => readonly Resource[]
  /** Pods that were there keep their addresses. */
  readonly previous?: Snapshot
  /** Say nothing of what is only likely wrong. */
  readonly quiet?: boolean
}

/**
 * The clone's own manifests, or those of `--manifests DIR...`, a union. A folder with `workloads` and `layers` in it is a whole
 * `k8s/`: `k8s/attacks` is for scenarios, and is not in force.
 */
export function ownManifests(io: Io, given?: string | readonly string[]): ManifestSet {
  if (given !== undefined) {
    const names = typeof given === 'string' ? [given] : given
    const folders = names.map((name) => path.resolve(io.cwd, name))
    for (const [index, folder] of folders.entries()) requireFolder(folder, names[index] ?? folder)
    return { folders: folders.flatMap(inForce), relativeTo: () => io.cwd, title: names.join(' and ') }
  }
  const { root, k8s } = findPlaces(io)
  return { folders: partsOf(k8s), relativeTo: () => root, title: 'k8s/' }
}

const partsOf = (k8s: string): readonly string[] => ['workloads', 'layers'].map((part) => path.join(k8s, part))

/** Of a whole k8s/, as another clone has it, what is in force: beside it lie attacks, and values for charts. */
function inForce(folder: string): readonly string[] {
  const parts = partsOf(folder)
  return parts.every((part) => existsSync(part)) ? parts : [folder]
}

/**
 * Reads manifests, for whoever judges the objects themselves.
 * @throws CliError with everything that is wrong, as file:line:column
 */
export async function readManifests({ folders, relativeTo, title }: ManifestSet): Promise<readonly Resource[]> {
  const { loadManifests, ManifestError } = await import('@bulkhead/resources')
  try {
    return (await loadManifests(folders, { relativeTo })).resources
  } catch (error) {
    if (error instanceof ManifestError) throw unusable(title, error)
    throw error
  }
}

const unusable = (title: string, error: Error): CliError =>
  new CliError(`the manifests in ${title} cannot be used:\n${error.message}`)

/**
 * Reads manifests and compiles them. What is likely wrong goes to stderr, a line each.
 * @throws CliError with everything that is wrong, as file:line:column
 */
export async function compileManifests(
  io: Io,
  { folders, relativeTo, title }: ManifestSet,
  { choose = (all) => all, previous, quiet = false }: CompileManifestsOptions = {},
): Promise<Snapshot> {
  // Loaded when it is needed: `bulkhead --help` is not to wait for the schemas.
  const { formatDiagnostic, loadManifests, ManifestError } = await import('@bulkhead/resources')
  const { compile, CompileError } = await import('@bulkhead/verdict')
  try {
    const { resources, warnings } = await loadManifests(folders, { relativeTo })
    for (const warning of quiet ? [] : warnings) note(io, `warning: ${formatDiagnostic(warning)}`)
    return compile(choose(resources), previous === undefined ? {} : { previous })
  } catch (error) {
    if (!(error instanceof ManifestError || error instanceof CompileError)) throw error
    throw unusable(title, error)
  }
}
