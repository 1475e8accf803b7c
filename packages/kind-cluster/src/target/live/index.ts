import { join } from 'node:path'
import { loadManifests, type Resource } from '@bulkhead/resources'
import { compile, type Snapshot } from '@bulkhead/verdict'
import type { AdmissionPolicies } from '@bulkhead/verdict/admission'
import { compileAdmission } from '@bulkhead/verdict/admission/lazy'
import type { Place } from '../../place.js'
import type { Tools } from '../../tools.js'
import { type LiveRead, readLive } from './read.js'
import { type InForce, reconcile } from './reconcile.js'

export { textAt, valueAt } from './plain.js'
export { idOf, itemsOf, keyOf, type LiveObject, parsed, toPutBack, written } from './raw.js'
export { asked, kubectl, readLive } from './read.js'
export { type InForce, reconcile } from './reconcile.js'

/** What is in force on the cluster now, and what the engine makes of it. */
export interface Live extends InForce {
  readonly read: LiveRead
  readonly snapshot: Snapshot
  policies(): Promise<AdmissionPolicies>
}

export interface LiveOptions {
  readonly tools: Tools
  readonly place: Place
  /** How long what was read is good for, in milliseconds. Default 3000: attempts that run side by side share it. */
  readonly keptMs?: number
  readonly signal?: AbortSignal
}

/** The folders that files are looked up in, as the local target has them. */
const folders = ['k8s/workloads', 'k8s/layers']

/** Reads the cluster, and keeps what it read for a moment, or until something is changed. */
export class LiveReader {
  readonly #options: LiveOptions
  #files: Promise<readonly Resource[]> | undefined
  #kept: { readonly live: Promise<Live>; until: number } | undefined

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /** What k8s/ says, whether it is in force or not. */
  files(): Promise<readonly Resource[]> {
    const { root } = this.#options.place
    this.#files ??= loadManifests(
      folders.map((folder) => join(root, folder)),
      { relativeTo: root },
    ).then(({ resources }) => resources)
    // A mistake in a file is mended, and read again.
    this.#files.catch(() => {
      this.#files = undefined
    })
    return this.#files
  }

  /** @param standing objects of changes that stand, which no file of k8s/ has */
  now(standing: readonly Resource[] = []): Promise<Live> {
    if (this.#kept !== undefined && this.#kept.until > performance.now()) return this.#kept.live
    const kept = { live: this.#read(standing), until: Number.POSITIVE_INFINITY }
    this.#kept = kept
    kept.live.then(
      () => {
        kept.until = performance.now() + (this.#options.keptMs ?? 3000)
      },
      () => this.#forget(kept),
    )
    return kept.live
  }

  /** Something was changed: what was read before is not asked about any more. */
  forget(): void {
    this.#kept = undefined
  }

  #forget(one: object): void {
    if (this.#kept === one) this.#kept = undefined
  }

  async #read(standing: readonly Resource[]): Promise<Live> {
    const { tools, place, signal } = this.#options
    const [files, read] = await Promise.all([this.files(), readLive(tools, place, signal)])
    return liveOf(read, [...files, ...standing])
  }
}

/** The engine's view of what was read. */
export function liveOf(read: LiveRead, files: readonly Resource[]): Live {
  const inForce = reconcile(read, files)
  const { resources, running, nodes, kept } = inForce
  const snapshot = compile(resources, { running, kept, ...(nodes.length > 0 && { nodes }) })
  let policies: Promise<AdmissionPolicies> | undefined
  return {
    ...inForce,
    read,
    snapshot,
    policies: () => {
      policies ??= compileAdmission(resources)
      return policies
    },
  }
}
