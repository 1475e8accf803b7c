import { EventEmitter } from 'node:events'
import type { ApiObject, Served, Stored } from './types.js'

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface Change {
  readonly version: number
  readonly type: ChangeType
  /** As it is now; of what was deleted, as it was at last, with the version of its end. */
  readonly stored: Stored
  /** As it was before. */
  readonly before?: Stored
}

/** Everything of one resource at one version, sorted by its keys. */
export interface Page {
  readonly version: number
  readonly items: readonly Stored[]
}

const KEPT_CHANGES = 1024
/** Lists that are being read page by page. */
const KEPT_PAGES = 32

export interface StoreOptions {
  /** For tests: how many changes a watch may be behind. */
  readonly kept?: number
  /** Default: the time, so that a version of an earlier run is too old and not a wrong one. */
  readonly firstVersion?: number
}

/**
 * What the API server serves, and what became of it: each change has a version, and the last ones are kept, so that who was
 * away for a moment can catch up. Nothing in it is written by a client: `put` is given how everything is now.
 */
export class Store {
  readonly #objects: Readonly<Record<Served, Map<string, Stored>>> = { pods: new Map(), nodes: new Map() }
  readonly #shapes = new Map<string, string>()
  readonly #changes: Change[] = []
  readonly #pages = new Map<string, Page>()
  readonly #events = new EventEmitter().setMaxListeners(0)
  readonly #kept: number
  readonly #first: number
  #version: number

  constructor({ kept = KEPT_CHANGES, firstVersion = Date.now() }: StoreOptions = {}) {
    this.#kept = kept
    this.#first = firstVersion
    this.#version = firstVersion
  }

  /** That of the last change of anything. */
  get version(): number {
    return this.#version
  }

  /** The oldest version that a watch can go on from. */
  get oldest(): number {
    const [first] = this.#changes
    return this.#changes.length < this.#kept || first === undefined ? this.#first : first.version - 1
  }

  get(resource: Served, key: string): Stored | undefined {
    return this.#objects[resource].get(key)
  }

  /** How everything of a resource is now. What is as it was is left alone; the rest are changes. */
  put(resource: Served, objects: ReadonlyMap<string, ApiObject>): void {
    const known = this.#objects[resource]
    for (const [key, before] of [...known]) {
      if (objects.get(key)?.metadata.uid === before.object.metadata.uid) continue
      known.delete(key)
      this.#shapes.delete(`${resource} ${key}`)
      this.#tell('DELETED', this.#stored(resource, key, before.object), before)
    }
    for (const [key, object] of objects) {
      const shape = JSON.stringify(object)
      const before = known.get(key)
      if (before !== undefined && this.#shapes.get(`${resource} ${key}`) === shape) continue
      const stored = this.#stored(resource, key, object)
      this.#shapes.set(`${resource} ${key}`, shape)
      known.set(key, stored)
      this.#tell(before === undefined ? 'ADDED' : 'MODIFIED', stored, before)
    }
  }

  /** Everything of a resource, as it is now. */
  page(resource: Served): Page {
    const items = [...this.#objects[resource].values()].sort((a, b) => (a.key < b.key ? -1 : 1))
    return { version: this.#version, items }
  }

  /** Keeps a list as it is for as long as it is read page by page. */
  keep(resource: Served, page: Page): void {
    const name = `${resource} ${page.version}`
    this.#pages.delete(name)
    this.#pages.set(name, page)
    const [oldest] = this.#pages.keys()
    if (this.#pages.size > KEPT_PAGES && oldest !== undefined) this.#pages.delete(oldest)
  }

  kept(resource: Served, version: number): Page | undefined {
    return this.#pages.get(`${resource} ${version}`)
  }

  /** What has changed after a version. Undefined: more than is kept. */
  since(version: number): readonly Change[] | undefined {
    if (version < this.oldest) return undefined
    return this.#changes.filter((change) => change.version > version)
  }

  /** Called with each change, as it happens. Returns the way to stop it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#events.on('change', listener)
    return () => this.#events.off('change', listener)
  }

  #stored(resource: Served, key: string, object: ApiObject): Stored {
    const resourceVersion = String(++this.#version)
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion } }
    return { resource, key, object: versioned, json: JSON.stringify(versioned) }
  }

  #tell(type: ChangeType, stored: Stored, before: Stored | undefined): void {
    const change = { version: this.#version, type, stored, ...(before !== undefined && { before }) }
    this.#changes.push(change)
    if (this.#changes.length > this.#kept) this.#changes.shift()
    this.#events.emit('change', change)
  }
}
