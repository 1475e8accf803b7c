import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

/** So long after the last event nobody is writing any more: editors write a save in several steps. */
const defaultQuietMs = 100
/** Files that are saved without a pause are read all the same after this. */
const longestMs = 2000
/** A file that was emptied is about to be written, by a program that does it in two steps; after this it is empty. */
const emptiedMs = 1000
/** How often a folder that went away is looked for. */
const absentMs = 500

/** Files that were saved together. */
export interface Save {
  /** Absolute paths, sorted. */
  readonly files: readonly string[]
  /** `performance.now()` of the first event. */
  readonly since: number
}

export interface WatchOptions {
  /** Default 100. */
  readonly quietMs?: number
  /** Called when files have changed and it has been quiet since; not again before it has resolved. */
  readonly saved: (save: Save) => Promise<void>
  /** Watching is not possible any more: whatever is saved from now on is not seen. */
  readonly failed: (error: Error) => void
}

/** YAML, and kustomizations in all their names. */
const isManifest = (path: string): boolean => /\.ya?ml$|^kustomization$/i.test(basename(path))
/** As the reader does: dot folders hold tools' files, and node_modules other people's. */
const isForeign = (path: string): boolean => /^\.[^.]|^node_modules$/.test(basename(path))

/** Follows folders of manifests, and tells of what was saved in them. */
export class ManifestWatch {
  readonly #options: WatchOptions
  readonly #watcher: FSWatcher
  readonly #roots: ReadonlySet<string>
  /** Changed files, and when each changed last. */
  #changed = new Map<string, number>()
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #telling = false
  #closed = false

  private constructor(folders: readonly string[], options: WatchOptions) {
    this.#options = options
    this.#roots = new Set(folders)
    this.#watcher = watch([...folders], {
      ignoreInitial: true,
      // It would hold every deletion back to see whether the file comes again; waiting is done here, for all events alike.
      atomic: false,
      ignored: (path, stats) =>
        !this.#roots.has(path) && (isForeign(path) || (stats?.isFile() === true && !isManifest(path))),
    })
    this.#watcher.on('all', (_event, path) => this.#happened(path))
    this.#watcher.on('error', (error) => {
      if (!this.#closed) options.failed(error instanceof Error ? error : new Error(String(error)))
    })
  }

  /** Resolves when every folder is watched: what is saved from then on is told. */
  static async start(folders: readonly string[], options: WatchOptions): Promise<ManifestWatch> {
    const watching = new ManifestWatch(folders, options)
    await new Promise<void>((resolve) => watching.#watcher.once('ready', resolve))
    return watching
  }

  /** Whether something has changed that was not told yet: what is being read now is out of date. */
  get pending(): boolean {
    return this.#changed.size > 0
  }

  /** Folders beside the roots: those that a kustomization leads to. */
  also(folders: readonly string[]): void {
    if (folders.length > 0 && !this.#closed) this.#watcher.add([...folders])
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearInterval(this.#looking)
    await this.#watcher.close()
  }

  #happened(path: string): void {
    if (this.#closed) return
    const now = performance.now()
    if (this.#changed.size === 0) this.#since = now
    this.#changed.set(path, now)
    this.#wait(this.#options.quietMs ?? defaultQuietMs)
    if (this.#roots.has(path)) this.#lookForRoots()
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closed || this.#telling || this.#changed.size === 0) return
    const now = performance.now()
    this.#timer = setTimeout(() => void this.#tell(), Math.max(0, Math.min(ms, this.#since + longestMs - now)))
  }

  async #tell(): Promise<void> {
    if (this.#beingWritten()) return this.#wait(this.#options.quietMs ?? defaultQuietMs)
    const files = [...this.#changed.keys()].filter(isManifest).sort()
    // A folder that came or went was told by its files, unless it had none.
    const save = { files: files.length > 0 ? files : [...this.#changed.keys()].sort(), since: this.#since }
    this.#changed = new Map()
    this.#telling = true
    try {
      await this.#options.saved(save)
    } finally {
      this.#telling = false
      this.#wait(this.#options.quietMs ?? defaultQuietMs)
    }
  }

  /** An empty file has no policies: between its emptying and its writing a wall would be down. */
  #beingWritten(): boolean {
    const now = performance.now()
    if (now - this.#since >= longestMs) return false
    return [...this.#changed].some(([path, at]) => now - at < emptiedMs && isManifest(path) && sizeOf(path) === 0)
  }

  /** A root that was removed is not watched any more, and nobody tells when it is there again. */
  #lookForRoots(): void {
    if (this.#looking !== undefined) return
    let absent = new Set<string>()
    this.#looking = setInterval(() => {
      const gone = [...this.#roots].filter((root) => sizeOf(root) === undefined)
      for (const root of absent) {
        if (gone.includes(root)) continue
        this.#watcher.add(root)
        this.#happened(root)
      }
      absent = new Set(gone)
      if (gone.length > 0) return
      clearInterval(this.#looking)
      this.#looking = undefined
    }, absentMs)
  }
}

/** Undefined: it is not there, or cannot be seen. */
function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size
  } catch {
    return undefined
  }
}

/** The folders of files that lie outside of these roots. */
export function foldersOutside(files: Iterable<string>, roots: readonly string[]): readonly string[] {
  const inside = (file: string) => roots.some((root) => file === root || file.startsWith(`${root}/`))
  return [...new Set([...files].filter((file) => !inside(file)).map(dirname))]
}
