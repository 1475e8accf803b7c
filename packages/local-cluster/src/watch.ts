import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type FSWatcher, watch } from 'chokidar'

/** So long after the last event nobody is writing any more: editors write a save in several steps. */
const defaultQuietMs = 100
/**
 * chokidar tells of one change of a file within 50 ms and drops the others: a reading that began sooner could miss the
 * last one.
 */
const leastQuietMs = 60
/** Files that are saved without a pause are read all the same after this. */
const longestMs = 2000
/** A file that was emptied is about to be written, by a program that does it in two steps; after this it is empty. */
const emptiedMs = 1000
/** How often a folder that went away is looked for. */
const absentMs = 500

/** After an error of the watcher, as when the system has no more watches to give, a new one is tried so often. */
const againMs = 2000

/** Files that were saved together. */
export interface Save {
  /** Absolute paths, sorted. */
  readonly files: readonly string[]
  /** `performance.now()` of the first event. */
  readonly since: number
}

export interface WatchOptions {
  /** Default 100, at least 60. */
  readonly quietMs?: number
  /** Called when files have changed and it has been quiet since; not again before it has resolved. */
  readonly saved: (save: Save) => Promise<void>
  /** Something kept it from following a file: what is saved from now on may not be seen. */
  readonly failed: (error: Error) => void
  /** The watcher has failed; a new one is tried until it works, which `found` tells, and then `saved`. */
  readonly lost?: (error: Error) => void
  readonly found?: () => void
  /** For tests. */
  readonly againMs?: number
  readonly open?: typeof watch
}

/** YAML, and kustomizations in all their names. */
const isManifest = (path: string): boolean => /\.ya?ml$|^kustomization$/i.test(basename(path))
/** As the reader does: dot folders hold tools' files, and node_modules other people's. */
const isForeign = (path: string): boolean => /^\.[^.]|^node_modules$/.test(basename(path))

/** Follows folders of manifests, and tells of what was saved in them. */
export class ManifestWatch {
  readonly #options: WatchOptions
  #watcher: FSWatcher
  readonly #also = new Set<string>()
  /** Which folder each root is: another one can take its name, by a rename or a link that leads elsewhere. */
  readonly #identities = new Map<string, string>()
  readonly #check: NodeJS.Timeout
  readonly #roots: ReadonlySet<string>
  readonly #quietMs: number
  /** Changed files, and when each changed last. */
  #changed = new Map<string, number>()
  readonly #absent = new Map<string, NodeJS.Timeout>()
  #since = 0
  #timer: NodeJS.Timeout | undefined
  #telling = false
  #closed = false
  #again: NodeJS.Timeout | undefined
  #firstReady: (() => void) | undefined

  private constructor(folders: readonly string[], options: WatchOptions) {
    this.#options = options
    this.#roots = new Set(folders)
    this.#quietMs = Math.max(leastQuietMs, options.quietMs ?? defaultQuietMs)
    for (const root of this.#roots) this.#identities.set(root, identityOf(root) ?? '')
    this.#watcher = this.#open()
    this.#check = setInterval(() => this.#lookForOthers(), absentMs)
    this.#check.unref()
  }

  #open(): FSWatcher {
    const watcher = (this.#options.open ?? watch)([...this.#roots, ...this.#also], {
      ignoreInitial: true,
      // It would hold every deletion back to see whether the file comes again; waiting is done here, for all events alike.
      atomic: false,
      ignored: (path, stats) =>
        !this.#roots.has(path) && (isForeign(path) || (stats?.isFile() === true && !isManifest(path))),
    })
    watcher.on('all', (event, path) => {
      this.#happened(path)
      if (event === 'unlinkDir' && this.#roots.has(path)) this.#lookFor(path)
    })
    watcher.once('ready', () => this.#firstReady?.())
    watcher.on('error', (error) => {
      if (watcher === this.#watcher) this.#lost(error)
    })
    return watcher
  }

  /** The system tells nothing of a root whose name another folder has taken: the old one is watched on. */
  #lookForOthers(): void {
    const replaced = [...this.#roots].filter((root) => {
      const identity = identityOf(root)
      if (identity === undefined || identity === this.#identities.get(root)) return false
      this.#identities.set(root, identity)
      return true
    })
    if (replaced.length === 0 || this.#closed) return
    this.#openAnew(() => {
      for (const root of replaced) this.#happened(root)
    })
  }

  #openAnew(ready: () => void): void {
    const old = this.#watcher
    this.#watcher = this.#open()
    this.#watcher.once('ready', ready)
    void old.close().catch((error: unknown) => this.#failed(error))
  }

  #lost(error: unknown): void {
    if (this.#closed) return
    this.#options.lost?.(error instanceof Error ? error : new Error(String(error)))
    this.#again ??= setTimeout(() => {
      this.#again = undefined
      this.#openAnew(() => {
        // It failed while it was opened: there will be another one.
        if (this.#closed || this.#again !== undefined) return
        this.#options.found?.()
        for (const root of this.#roots) this.#happened(root)
      })
    }, this.#options.againMs ?? againMs)
  }

  /** Resolves when every folder is watched: what is saved from then on is told. */
  static async start(folders: readonly string[], options: WatchOptions): Promise<ManifestWatch> {
    const watching = new ManifestWatch(folders, options)
    await new Promise<void>((resolve) => {
      watching.#firstReady = resolve
    })
    return watching
  }

  /** Whether something has changed that was not told yet: what is being read now is out of date. */
  get pending(): boolean {
    return this.#changed.size > 0
  }

  /** Folders beside the roots: those that a kustomization leads to. */
  also(folders: readonly string[]): void {
    for (const folder of folders) this.#also.add(folder)
    if (folders.length > 0 && !this.#closed) this.#watcher.add([...folders])
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#again)
    clearInterval(this.#check)
    for (const root of [...this.#absent.keys()]) this.#stopLooking(root)
    await this.#watcher.close()
  }

  #failed(error: unknown): void {
    if (!this.#closed) this.#options.failed(error instanceof Error ? error : new Error(String(error)))
  }

  #happened(path: string): void {
    if (this.#closed) return
    const now = performance.now()
    if (this.#changed.size === 0) this.#since = now
    this.#changed.set(path, now)
    this.#wait(this.#quietMs)
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closed || this.#telling || this.#changed.size === 0) return
    const now = performance.now()
    this.#timer = setTimeout(() => void this.#tell(), Math.max(0, Math.min(ms, this.#since + longestMs - now)))
  }

  async #tell(): Promise<void> {
    if (this.#beingWritten()) return this.#wait(this.#quietMs)
    const files = [...this.#changed.keys()].filter(isManifest).sort()
    // A folder that came or went was told by its files, unless it had none.
    const save = { files: files.length > 0 ? files : [...this.#changed.keys()].sort(), since: this.#since }
    this.#changed = new Map()
    this.#telling = true
    try {
      await this.#options.saved(save)
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#telling = false
      this.#wait(this.#quietMs)
    }
  }

  /** An empty file has no policies: between its emptying and its writing a wall would be down. */
  #beingWritten(): boolean {
    const now = performance.now()
    if (now - this.#since >= longestMs) return false
    return [...this.#changed].some(([path, at]) => now - at < emptiedMs && isManifest(path) && sizeOf(path) === 0)
  }

  /** A root that was removed is not watched any more, and nobody tells when it is there again. */
  #lookFor(root: string): void {
    if (this.#absent.has(root) || this.#closed) return
    const timer = setInterval(() => {
      if (sizeOf(root) === undefined) return
      this.#stopLooking(root)
      this.#watcher.add(root)
      this.#happened(root)
    }, absentMs)
    this.#absent.set(root, timer)
  }

  #stopLooking(root: string): void {
    clearInterval(this.#absent.get(root))
    this.#absent.delete(root)
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

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** The folders of files that lie outside of these roots. */
export function foldersOutside(files: Iterable<string>, roots: readonly string[]): readonly string[] {
  const inside = (file: string) => roots.some((root) => file === root || file.startsWith(`${root}/`))
  return [...new Set([...files].filter((file) => !inside(file)).map(dirname))]
}
