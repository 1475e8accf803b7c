import type { MeshApi } from '@bulkhead/mesh'
import type { Resource } from '@bulkhead/resources'
import type { Change, LayerState } from '@bulkhead/scenarios'
import type { Snapshot } from '@bulkhead/verdict'
import type { NamedChange, ObjectInForce } from './cluster-types.js'
import type { Engine } from './engine.js'
import { badManifests, ClusterError } from './errors.js'
import type { ImageTable } from './images.js'
import { inForce, keyOf, type StandingChange } from './in-force.js'
import { findLayer, type LayerSwitches, layersOf } from './overlay.js'
import { planPods } from './plan.js'
import type { Pods } from './pods.js'

/** How long new pods of a change may take until they are ready, before it is taken back. */
const changeReadyMs = 30_000

export interface EnforcementParts {
  readonly engine: Engine
  readonly images: ImageTable
  /** What the files hold. */
  readonly base: readonly Resource[]
  readonly switches: LayerSwitches
  readonly mesh: MeshApi
  readonly pods: Pods
  /** Where the pods' logs are, to be named when a change fails. */
  readonly logs: string
  /** Called when other policies are in force. */
  readonly adopted: () => void
}

/** What is in force, and how it changes: one change at a time, each whole or not at all. */
export class Enforcement {
  readonly #parts: EnforcementParts
  readonly #changes = new Map<string, StandingChange & { readonly given: Change }>()
  readonly #over = new AbortController()
  #snapshot: Snapshot
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: EnforcementParts, snapshot: Snapshot) {
    this.#parts = parts
    this.#snapshot = snapshot
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  /** Names of the changes that stand. */
  get changes(): readonly string[] {
    return [...this.#changes.keys()]
  }

  /** The changes that stand, as they were given, in the order in which they are put on top of the files. */
  standing(): readonly NamedChange[] {
    return [...this.#changes].map(([name, { given }]) => ({ name, change: given }))
  }

  /** Every object that is in force, and what brought it. */
  objects(): readonly ObjectInForce[] {
    const inFiles = new Set(inForce(this.#parts.base, this.#parts.switches.off, []).map(keyOf))
    const brought = new Map<string, string>()
    for (const [name, { objects }] of this.#changes) for (const resource of objects) brought.set(keyOf(resource), name)
    return this.#snapshot.resources.map((resource) => {
      const key = keyOf(resource)
      const { file, line } = resource.position([])
      const change = brought.get(key)
      return {
        id: resource.id,
        ...(resource.layer !== undefined && { layer: resource.layer }),
        at: `${file}:${line}`,
        ...(change !== undefined && { change }),
        inFiles: inFiles.has(key),
        object: resource.object,
      }
    })
  }

  layers(): readonly LayerState[] {
    return layersOf(this.#parts.base, this.#parts.switches.off)
  }

  /** @throws ClusterError `unknown-layer`, and as `apply`. */
  setLayers(change: {
    readonly on?: readonly string[]
    readonly off?: readonly string[]
  }): Promise<{ readonly closed: number; readonly generation: number }> {
    return this.#serially(async () => {
      const { switches, mesh } = this.#parts
      const layers = this.layers()
      const off = new Set(switches.off)
      for (const name of change.off ?? []) off.add(findLayer(name, layers))
      for (const name of change.on ?? []) off.delete(findLayer(name, layers))
      const closed = await this.#enforce(off, this.#changes)
      switches.set(off)
      return { closed, generation: mesh.generation }
    })
  }

  /**
   * Puts a change in force until it is withdrawn; the same name again replaces it. Resolves when the pods that it adds
   * are ready; when they do not become ready it is taken back.
   *
   * @throws ClusterError `bad-manifests`, `unknown-image`, `bad-pod`, `not-ready`, `stopping`.
   */
  async apply(name: string, change: Change): Promise<void> {
    const { objects: text, file = name, without } = change
    const objects = text === undefined ? [] : await badManifests(() => this.#parts.engine.parse(text, file))
    const standing = { objects, without: new Set(without), given: change }
    await this.#serially(async () => {
      await this.#enforce(this.#parts.switches.off, new Map(this.#changes).set(name, standing))
      this.#changes.set(name, standing)
    })
  }

  /** @throws ClusterError `unknown-change`, and as `apply`. */
  async withdraw(name: string): Promise<void> {
    await this.#serially(async () => {
      const changes = new Map(this.#changes)
      if (!changes.delete(name)) {
        const known = this.changes.join(', ')
        throw new ClusterError(
          'unknown-change',
          `no change named ${JSON.stringify(name)} stands; there are ${known || 'none'}.`,
        )
      }
      await this.#enforce(this.#parts.switches.off, changes)
      this.#changes.delete(name)
    })
  }

  /** Refuses what comes from now on. Resolves when the change that is under way is over; it does not wait for pods any more. */
  async end(): Promise<void> {
    this.#over.abort()
    await this.#last
  }

  /**
   * Puts a set of objects in force. One that cannot be is refused before anything is touched; when its pods do not come
   * up, what was in force before is put back.
   */
  async #enforce(off: ReadonlySet<string>, changes: ReadonlyMap<string, StandingChange>): Promise<number> {
    const { engine, base } = this.#parts
    const before = this.#snapshot
    const resources = inForce(base, off, changes.values())
    const snapshot = await badManifests(() => engine.compile(resources, { previous: before }))
    const { closed, failure } = await this.#adopt(snapshot)
    if (failure === undefined) return closed
    if (!this.#over.signal.aborted) await this.#adopt(engine.compile(before.resources, { previous: snapshot }))
    throw failure
  }

  async #adopt(snapshot: Snapshot): Promise<{ readonly closed: number; readonly failure?: unknown }> {
    const { mesh, images, pods, logs, adopted } = this.#parts
    const { gone, added } = pods.difference(planPods(snapshot, images))
    await pods.end(gone)
    const closed = mesh.swap(snapshot, mesh.generation + 1)
    this.#snapshot = snapshot
    adopted()
    if (added.length === 0) return { closed }
    try {
      await pods.start(added)
      const keys = added.map(({ pod }) => pod.key)
      const left = await pods.whenReady({ timeoutMs: changeReadyMs, keys, signal: this.#over.signal })
      if (left.length === 0) return { closed }
      const said = `${left.join(', ')} did not become ready, so the change was taken back; ${logs} tells why.`
      return { closed, failure: this.#over.signal.aborted ? stopping() : new ClusterError('not-ready', said) }
    } catch (failure) {
      return { closed, failure }
    }
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(() => {
      if (this.#over.signal.aborted) throw stopping()
      return work()
    })
    this.#last = next.catch(() => undefined)
    return next
  }
}

const stopping = (): ClusterError => new ClusterError('stopping', 'the target is being taken down.')
