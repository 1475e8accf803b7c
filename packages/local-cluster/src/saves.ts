import { relative, resolve, sep } from 'node:path'
import type { Diagnostic, LoadResult, Resource } from '@bulkhead/resources'
import type { ManifestsEvent } from './cluster-types.js'
import { diffed } from './diffed.js'
import type { Enforced } from './enforced.js'
import type { Enforcement } from './enforcement.js'
import type { Engine } from './engine.js'
import { badManifests, messageOf } from './errors.js'
import { unreadOf } from './unread.js'
import { foldersOutside, ManifestWatch, type Save, type WatchOptions } from './watch.js'

export interface SavesParts {
  readonly engine: Engine
  readonly enforcement: Enforcement
  /** Folders with manifests, and what positions are relative to. */
  readonly manifests: readonly string[]
  readonly relativeTo: string
  /** What was read at the start. */
  readonly loaded: LoadResult
  readonly told: (event: ManifestsEvent) => void
  /** After this new pods that are not ready are told of. */
  readonly readyMs: number
  /** For tests. */
  readonly quietMs?: number
  readonly watching?: Pick<WatchOptions, 'againMs' | 'open'>
}

/** Follows the manifests' files: what is saved is in force, or told why not. */
export class Saves {
  readonly #parts: SavesParts
  #watch: ManifestWatch | undefined
  #base: string
  #warned: ReadonlySet<string>
  #refused: string | undefined
  /** Why saves may not be seen; no save that is seen ends it. */
  #unseen: string | undefined
  #seenAgain = false
  #closed = false

  constructor(parts: SavesParts) {
    this.#parts = parts
    this.#base = contentOf(parts.loaded.resources)
    this.#warned = warningsOf(parts.loaded)
  }

  /** What is wrong with the files as they are, or with seeing them; undefined: they are in force. */
  get refused(): string | undefined {
    const told = [this.#unseen, this.#refused].filter((message) => message !== undefined)
    return told.length === 0 ? undefined : told.join('\n')
  }

  /** Resolves when saves are seen. What was saved between the first reading and now is put in force. */
  async start(): Promise<void> {
    const { manifests, loaded, quietMs, watching } = this.#parts
    const folders = manifests.map((folder) => resolve(folder))
    this.#watch = await ManifestWatch.start(folders, {
      saved: (save) => this.#saved(save),
      failed: (error) => this.#refuse([], `saves may not be seen any more: ${messageOf(error)}`),
      lost: (error) => this.#lost(error),
      found: () => {
        this.#unseen = undefined
        this.#seenAgain = true
      },
      ...watching,
      ...(quietMs !== undefined && { quietMs }),
    })
    this.#followOutside(loaded.resources)
    if (this.#closed) await this.#watch.close()
    else await this.#saved({ files: [], since: performance.now() })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#watch?.close()
  }

  async #saved({ files: paths, since }: Save): Promise<void> {
    const { engine, enforcement, manifests, relativeTo } = this.#parts
    const files = paths.map((path) => nameOf(path, relativeTo))
    let loaded: LoadResult
    let enforced: Enforced
    try {
      loaded = await badManifests(() => engine.load(manifests, relativeTo))
      if (this.#outdated) return
      // The look after the start, when nothing was saved meanwhile.
      if (files.length === 0 && contentOf(loaded.resources) === this.#base) return
      enforced = await enforcement.reload(loaded.resources)
    } catch (error) {
      // Of what is being written this moment nothing is said: it is read again.
      if (!this.#outdated) this.#refuse(files, messageOf(error))
      return
    }
    this.#followOutside(loaded.resources)
    const content = contentOf(loaded.resources)
    const healed = this.#refused !== undefined || this.#seenAgain
    this.#seenAgain = false
    // Other comments move lines, which positions have to follow; nobody wants to hear of it.
    if (content === this.#base && !healed) {
      const unread = unreadOf(paths, manifests)
      if (unread.length > 0) {
        const named = (path: string) => nameOf(path, relativeTo)
        this.#tell({
          kind: 'unread',
          files: unread.map(({ file, kustomization }) => ({ file: named(file), kustomization: named(kustomization) })),
        })
      }
      return
    }
    const warnings = loaded.warnings.filter((warning) => !this.#warned.has(wordsOf(warning)))
    this.#base = content
    this.#warned = warningsOf(loaded)
    this.#refused = undefined
    const { generation, before, after, closed: closedConnections, touched, admission } = enforced
    const rolling = new Set([...touched.added.values()].map(({ pod }) => pod.workload))
    for (const workload of touched.removed.values()) rolling.add(workload)
    this.#tell({
      kind: 'changed',
      generation,
      files,
      ...diffed(engine, before, after),
      closedConnections,
      ms: Math.round(enforced.at - since),
      rolling: [...rolling].sort(),
      warnings,
      admission,
    })
    if (rolling.size > 0) void this.#tellRollout(enforced, [...rolling].sort())
  }

  async #tellRollout(enforced: Enforced, workloads: readonly string[]): Promise<void> {
    const tell = (state: 'complete' | 'stuck', waitingFor: readonly string[]) =>
      this.#tell({ kind: 'rollout', workloads, state, waitingFor, ms: Math.round(performance.now() - enforced.at) })
    const { enforcement, readyMs } = this.#parts
    const settled = await enforcement.settled(enforced, readyMs)
    if (settled.kind === 'superseded' || this.#closed) return
    if (settled.kind === 'done') return tell('complete', [])
    tell('stuck', settled.waitingFor)
    // As a controller does, it goes on.
    const atLast = await enforcement.settled(enforced)
    if (atLast.kind === 'done') tell('complete', [])
  }

  get #outdated(): boolean {
    return this.#closed || this.#watch?.pending === true
  }

  #lost(error: Error): void {
    const message = `saves may not be seen until the files can be watched again, which is tried every 2 s: ${messageOf(error)}`
    if (message === this.#unseen) return
    this.#unseen = message
    this.#tell({ kind: 'refused', files: [], message })
  }

  #refuse(files: readonly string[], message: string): void {
    if (message === this.#refused) return
    this.#refused = message
    this.#tell({ kind: 'refused', files, message })
  }

  #tell(event: ManifestsEvent): void {
    if (!this.#closed) this.#parts.told(event)
  }

  #followOutside(resources: readonly Resource[]): void {
    const { manifests, relativeTo } = this.#parts
    const files = new Set(resources.map((one) => resolve(relativeTo, one.position([]).file)))
    const roots = manifests.map((folder) => resolve(folder))
    this.#watch?.also(foldersOutside(files, roots))
  }
}

/** As positions name it. */
const nameOf = (path: string, relativeTo: string): string => relative(relativeTo, path).split(sep).join('/')

/** Wherever in the file it is. */
const wordsOf = ({ at, message }: Diagnostic): string => `${at.file}: ${message}`

const warningsOf = ({ warnings }: LoadResult): ReadonlySet<string> => new Set(warnings.map(wordsOf))

/** What objects say, wherever they stand. */
function contentOf(resources: readonly Resource[]): string {
  return JSON.stringify(resources.map(({ id, layer, object }) => [id, layer, object]))
}
