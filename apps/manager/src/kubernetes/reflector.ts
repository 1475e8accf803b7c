import type { KubernetesAccess } from './access.js'
import { ApiRefusal, list, watch } from './api.js'
import { asRecord, textOf } from './objects.js'

/** How patient the reader of the cluster is; all in ms. */
export interface Patience {
  /** For one page of a list. */
  readonly listTimeoutMs: number
  /** A watch that says nothing for so long, not even a bookmark, is taken for dead: its connection may be, without a word. */
  readonly silenceMs: number
  /** How long the server may keep one watch open. */
  readonly watchMs: number
  /** The wait after a first failure; it doubles with each that follows, up to `retryMaxMs`, and each wait is a random part of it. */
  readonly retryMs: number
  readonly retryMaxMs: number
  /** All is read again after so long: an event that was lost without a trace is lost no longer than that. */
  readonly relistMs: number
}

export const defaultPatience: Patience = {
  listTimeoutMs: 10_000,
  silenceMs: 90_000,
  watchMs: 300_000,
  retryMs: 500,
  retryMaxMs: 20_000,
  relistMs: 900_000,
}

export interface ReflectorOptions<T> {
  readonly access: KubernetesAccess
  /** `/api/v1/pods` */
  readonly path: string
  readonly read: (object: unknown) => T
  readonly patience: Patience
  /** Told of each change of `problem`. */
  readonly note: (problem: string | undefined) => void
}

/** Watches in a row that brought nothing, before that is called a problem. */
const MANY = 4

/**
 * A copy of one resource, kept up to date: a list, then a watch from its version on; after a break the watch goes on where it was, and
 * after `410 Gone` everything is listed anew. Nothing ends it but close(): where the API server is away or refuses, it says so in
 * `problem` and tries again.
 */
export class Reflector<T> {
  /** By namespace and name. A list replaces it as a whole, so that nobody sees half of one. */
  #objects = new Map<string, T>()
  /** Whether there was a list ever. */
  listed = false
  problem: string | undefined = 'not read yet'
  /** performance.now() of the moment since which there is a problem. */
  problemSince = performance.now()
  readonly #options: ReflectorOptions<T>
  readonly #closed = new AbortController()
  readonly #loop: Promise<void>

  constructor(options: ReflectorOptions<T>) {
    this.#options = options
    this.#loop = this.#run()
  }

  values(): Iterable<T> {
    return this.#objects.values()
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { path, patience } = this.#options
    const closed = this.#closed.signal
    let version: string | undefined
    let relistAt = 0
    let failures = 0
    while (!closed.aborted) {
      let failed: unknown
      try {
        if (version === undefined || performance.now() > relistAt) {
          version = await this.#list()
          relistAt = performance.now() + patience.relistMs
        }
        const started = performance.now()
        const ended = await this.#watch(version)
        version = ended.version
        failed = ended.problem
        // A server that hangs up on us again and again is not asked without a pause; one that was quiet for long is.
        const lasted = performance.now() - started
        if (version !== undefined && (ended.events > 0 || lasted >= patience.silenceMs)) failures = 0
        else if (++failures >= MANY && failed === undefined) failed = new Error(`${path}: no watch lasts`)
      } catch (error) {
        failed = error
        failures++
        if (error instanceof ApiRefusal && error.status === 410) version = undefined
      }
      if (closed.aborted) return
      if (failed !== undefined) this.#setProblem(failed instanceof Error ? describe(failed) : String(failed))
      if (failures > 0) await pause(wait(failures, patience), closed)
    }
  }

  async #list(): Promise<string> {
    const { access, path, read, patience } = this.#options
    const { items, resourceVersion } = await list(access, path, patience.listTimeoutMs, this.#closed.signal)
    if (resourceVersion === '') throw new Error(`${path}: a list without resourceVersion`)
    const objects = new Map<string, T>()
    for (const item of items) objects.set(keyOf(item), read(item))
    this.#objects = objects
    this.listed = true
    this.#setProblem(undefined)
    return resourceVersion
  }

  /** One watch, from its opening to its end. `version: undefined`: list again. */
  async #watch(from: string): Promise<{ version: string | undefined; events: number; problem: unknown }> {
    const { access, path, patience } = this.#options
    const end = new AbortController()
    const over = AbortSignal.any([end.signal, this.#closed.signal])
    let version: string | undefined = from
    let events = 0
    let problem: unknown
    let open = false
    let timer = setTimeout(() => end.abort(), patience.listTimeoutMs)
    let settled: NodeJS.Timeout | undefined
    const onOpen = (): void => {
      open = true
      clearTimeout(timer)
      if (over.aborted) return
      timer = setTimeout(() => end.abort(), patience.silenceMs)
      // A server that answers, and hangs up at once, is no better than one that does not.
      settled = setTimeout(() => this.#setProblem(undefined), patience.retryMs)
    }
    const onEvent = (type: string, object: unknown): void => {
      if (over.aborted) return
      timer.refresh()
      try {
        version = this.#take(type, object) ?? version
        events++
        this.#setProblem(undefined)
      } catch (error) {
        if (error instanceof ApiRefusal && error.status === 410) version = undefined
        else {
          // What cannot be read may have been any change: only a list tells.
          version = undefined
          problem = error
        }
        end.abort()
      }
    }
    const query = {
      resourceVersion: from,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(Math.ceil((patience.watchMs * (0.8 + Math.random() * 0.4)) / 1000)),
    }
    try {
      await watch(access, path, query, onEvent, onOpen, over)
    } finally {
      clearTimeout(timer)
      clearTimeout(settled)
    }
    if (!open && end.signal.aborted) throw new Error(`${path}: the watch was not answered in time`)
    return { version, events, problem }
  }

  #take(type: string, object: unknown): string | undefined {
    const objects = this.#objects
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        objects.set(keyOf(object), this.#options.read(object))
        break
      case 'DELETED':
        objects.delete(keyOf(object))
        break
      case 'BOOKMARK':
        break
      case 'ERROR': {
        const { code, message } = asRecord(object)
        throw new ApiRefusal(
          typeof code === 'number' ? code : 500,
          `${this.#options.path}: the watch says ${textOf(message)}`,
        )
      }
      default:
        throw new TypeError(`${this.#options.path}: an event of type ${JSON.stringify(type)?.slice(0, 60)}`)
    }
    return textOf(asRecord(asRecord(object).metadata).resourceVersion) || undefined
  }

  #setProblem(problem: string | undefined): void {
    if (problem === this.problem) return
    if (this.problem === undefined) this.problemSince = performance.now()
    this.problem = problem
    this.#options.note(problem)
  }
}

function keyOf(object: unknown): string {
  const { namespace, name } = asRecord(asRecord(object).metadata)
  return `${textOf(namespace)}/${textOf(name)}`
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
  return `${error.message}${cause}`
}

/** Anywhere up to the doubled wait: many who lost the same server do not come back at the same moment. */
const wait = (failures: number, { retryMs, retryMaxMs }: Patience): number =>
  Math.min(retryMaxMs, retryMs * 2 ** Math.min(failures - 1, 16)) * (0.5 + Math.random() / 2)

function pause(ms: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(over, ms)
    closed.addEventListener('abort', over, { once: true })
    function over(): void {
      clearTimeout(timer)
      closed.removeEventListener('abort', over)
      resolve()
    }
  })
}
