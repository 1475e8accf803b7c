import { join } from 'node:path'
import type { Explanation } from '@bulkhead/analysis'
import type { MeshApi } from '@bulkhead/mesh'
import type { LoadResult } from '@bulkhead/resources'
import type { Attempt, Change, Evidence, LayerState, Target } from '@bulkhead/scenarios'
import type { Flow, FlowRecord, Snapshot, Verdict } from '@bulkhead/verdict'
import { type AttemptOptions, makeAttempt } from './attempt.js'
import { restartTimes } from './backoff.js'
import type { ClusterStatus, LocalClusterOptions } from './cluster-types.js'
import type { Engine } from './engine.js'
import { ClusterError, messageOf } from './errors.js'
import { type ImageTable, localImages } from './images.js'
import { allBut, inForce, type StandingChange } from './in-force.js'
import { meshLog } from './mesh-log.js'
import { findLayer, LayerSwitches, layersOf } from './overlay.js'
import { planPods } from './plan.js'
import { Pods } from './pods.js'
import { ProcessList } from './processes.js'
import { type Claim, claim, forget } from './state.js'

const connectTimeoutMs = 1000
/** How long new pods of a change may take until they are ready, before it is taken back. */
const changeReadyMs = 30_000
/** When a start failed, what was started of it need not end gently. */
const failedGraceMs = 500

/** What a program needs to run as a workload's pod, until it is given back. */
export interface ExecGrant {
  readonly run: string
  readonly pod: string
  readonly env: Readonly<Record<string, string>>
  revoke(): void
}

interface Parts {
  readonly options: LocalClusterOptions
  readonly engine: Engine
  readonly images: ImageTable
  readonly claim: Claim
  readonly base: LoadResult
  readonly switches: LayerSwitches
  readonly mesh: MeshApi
  readonly snapshot: Snapshot
}

/**
 * The local target: plays Kubernetes on one machine. Places the manifests' pods on two nodes, runs their containers as
 * child processes, probes and restarts them, and has the mesh enforce the policies that are in force.
 *
 * Changes of what is in force are made one at a time, and each is whole or not at all.
 */
export class LocalCluster implements Target {
  readonly name = 'local'
  readonly #parts: Parts
  readonly #pods: Pods
  readonly #processes: ProcessList
  readonly #changes = new Map<string, StandingChange>()
  readonly #started = new Date().toISOString()
  #snapshot: Snapshot
  #published: { readonly url: string; readonly token: string } | undefined
  #runs = 0
  #last: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.#parts = parts
    this.#snapshot = parts.snapshot
    this.#processes = new ProcessList(parts.claim.processesFile)
    this.#pods = new Pods({
      mesh: parts.mesh,
      processes: this.#processes,
      stateDir: parts.options.stateDir,
      userEnv: parts.options.userEnv ?? process.env,
    })
  }

  /**
   * Reads the manifests, and starts the mesh and every pod. Resolves when all processes were started; `whenReady` tells
   * when they answer. Whatever goes wrong, nothing of it is left running.
   *
   * @throws ClusterError: `already-up`, `state-dir`, `bad-manifests`, `unknown-image`, `bad-pod`, `unknown-layer`.
   */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const { stateDir, images = localImages, progress = () => undefined } = options
    const engine = options.engine ?? (await import('./real-engine.js')).realEngine
    const held = claim(stateDir)
    let mesh: MeshApi | undefined
    let cluster: LocalCluster | undefined
    try {
      if (held.leftovers > 0) progress({ kind: 'leftovers', processes: held.leftovers })
      await options.claimed?.()
      if (options.fresh === true) forget(stateDir)
      const base = await said(() => engine.load(options.manifests, options.relativeTo ?? process.cwd()))
      const switches = new LayerSwitches(stateDir)
      if (options.layers !== undefined) switches.set(allBut(options.layers, layersOf(base.resources, new Set())))
      const snapshot = await said(() => engine.compile(inForce(base.resources, switches.off, [])))
      const plans = planPods(snapshot, images)
      progress({ kind: 'manifests', objects: base.resources.length, pods: plans.size, warnings: base.warnings })
      mesh = await engine.startMesh({
        runDir: held.runDir,
        snapshot,
        connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMs,
        log: meshLog(join(stateDir, 'logs', 'mesh.log')),
      })
      progress({ kind: 'mesh' })
      cluster = new LocalCluster({ options, engine, images, claim: held, base, switches, mesh, snapshot })
      await cluster.#pods.start([...plans.values()])
      return cluster
    } catch (error) {
      if (cluster !== undefined) await cluster.stop({ graceMs: failedGraceMs })
      else {
        await mesh?.close()
        held.release()
      }
      throw error
    }
  }

  /** Writes what clients need to find this target into `control.json`. */
  publish(fields: { readonly url: string; readonly token: string }): void {
    this.#published = fields
    this.#parts.claim.publish({ ...fields, generation: this.#parts.mesh.generation })
  }

  /** Called for each flow record as its connection ends. Returns the way to stop it. */
  onFlow(listener: (record: FlowRecord) => void): () => void {
    return this.#parts.mesh.onFlow(listener)
  }

  /** The pods that are not ready when all are, or the time is over: none, when all is well. */
  whenReady(timeoutMs: number, signal?: AbortSignal): Promise<readonly string[]> {
    const { progress } = this.#parts.options
    return this.#pods.whenReady({
      timeoutMs,
      ...(signal !== undefined && { signal }),
      progress: (ready, of, waitingFor) => progress?.({ kind: 'pods', ready, of, waitingFor }),
    })
  }

  status(): ClusterStatus {
    const { options, mesh } = this.#parts
    return {
      target: 'local',
      pid: process.pid,
      generation: mesh.generation,
      started: this.#started,
      stateDir: options.stateDir,
      nodes: this.#snapshot.nodes,
      layers: this.#layers(),
      changes: [...this.#changes.keys()],
      workloads: this.#pods.workloads(),
      notModelled: this.#snapshot.notModelled,
      shortened: [
        `a dropped packet is given up after ${this.#timeoutMs / 1000} s here (10 s on a cluster)`,
        restartTimes.says,
      ],
    }
  }

  async layers(): Promise<readonly LayerState[]> {
    return this.#layers()
  }

  async predict(flow: Flow): Promise<Verdict> {
    return this.#parts.engine.judge(flow, this.#snapshot)
  }

  /** The same, with the smallest change that would allow it. */
  async explain(flow: Flow): Promise<Explanation> {
    return this.#parts.engine.explain(flow, this.#snapshot)
  }

  /** Takes walls down and puts them up, live. Resolves with how many open connections were closed by it. */
  setLayers(change: {
    readonly on?: readonly string[]
    readonly off?: readonly string[]
  }): Promise<{ readonly closed: number; readonly generation: number }> {
    return this.#serially(async () => {
      const layers = this.#layers()
      const off = new Set(this.#parts.switches.off)
      for (const name of change.off ?? []) off.add(findLayer(name, layers))
      for (const name of change.on ?? []) off.delete(findLayer(name, layers))
      const closed = await this.#enforce(off, this.#changes)
      this.#parts.switches.set(off)
      return { closed, generation: this.#parts.mesh.generation }
    })
  }

  /**
   * Puts a change in force until it is withdrawn; the same name again replaces it. Resolves when the pods that it adds
   * are ready; when they do not become ready it is taken back.
   */
  async apply(name: string, change: Change): Promise<void> {
    const { objects: text, file = name, without } = change
    const objects = text === undefined ? [] : await said(() => this.#parts.engine.parse(text, file))
    const standing = { objects, without: new Set(without) }
    await this.#serially(async () => {
      await this.#enforce(this.#parts.switches.off, new Map(this.#changes).set(name, standing))
      this.#changes.set(name, standing)
    })
  }

  async withdraw(name: string): Promise<void> {
    await this.#serially(async () => {
      const changes = new Map(this.#changes)
      if (!changes.delete(name)) {
        const known = [...changes.keys()].join(', ')
        throw new ClusterError(
          'unknown-change',
          `no change named ${JSON.stringify(name)} stands; there are ${known || 'none'}.`,
        )
      }
      await this.#enforce(this.#parts.switches.off, changes)
      this.#changes.delete(name)
    })
  }

  async attempt(from: string, attempt: Attempt, options: AttemptOptions = {}): Promise<Evidence> {
    const { mesh, images } = this.#parts
    const runner = this.#pods.one(from)
    const probe = images.get('localhost/bulkhead/probe')
    if (probe === undefined) {
      throw new ClusterError('bad-attempt', 'there is no probe program here that could make an attempt.')
    }
    const host = {
      mesh,
      snapshot: this.#snapshot,
      processes: this.#processes,
      connectTimeoutMs: this.#timeoutMs,
      probe: join(probe.root, 'dist', 'main.js'),
      launch: (argv: readonly [string, ...string[]], run: string) => runner.launch(undefined, argv, { run }),
    }
    return makeAttempt(this.#nextRun('attempt'), runner.plan.pod, attempt, host, options)
  }

  /** The right to run a program as a pod of the workload; SOCKS for those that are not Node's. */
  exec(from: string): ExecGrant {
    const pod = this.#pods.one(from).plan.pod.key
    const run = this.#nextRun('exec')
    const grant = this.#parts.mesh.grant(pod, { run, socks: true })
    return { run, pod, env: grant.env, revoke: () => grant.revoke() }
  }

  flows(filter?: { run?: string }): readonly FlowRecord[] {
    return this.#parts.mesh.flows(filter)
  }

  /** The log files of a workload's pods (or of one pod). @throws ClusterError `unknown-workload` */
  logs(of: string): readonly { readonly pod: string; readonly file: string }[] {
    return this.#pods.of(of).map((runner) => ({ pod: runner.plan.pod.key, file: runner.logFile }))
  }

  /**
   * Ends everything that was started, and gives the state folder back. `graceMs` bounds the pods' own grace periods.
   * Asked again, it waits for the same end.
   */
  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.graceMs)
    return this.#stopping
  }

  async #stop(graceMs: number | undefined): Promise<void> {
    await this.#pods.stopAll(graceMs)
    // A change that was under way may have started more.
    await this.#last
    await this.#pods.end(undefined, graceMs)
    await this.#parts.mesh.close()
    this.#parts.claim.release()
  }

  /**
   * Puts a set of objects in force. One that cannot be is refused before anything is touched; when its pods do not come
   * up, what was in force before is put back.
   */
  async #enforce(off: ReadonlySet<string>, changes: ReadonlyMap<string, StandingChange>): Promise<number> {
    const { engine, base } = this.#parts
    const before = this.#snapshot
    const resources = inForce(base.resources, off, changes.values())
    const snapshot = await said(() => engine.compile(resources, { previous: before }))
    const { closed, failure } = await this.#adopt(snapshot)
    if (failure === undefined) return closed
    await this.#adopt(engine.compile(before.resources, { previous: snapshot }))
    throw failure
  }

  async #adopt(snapshot: Snapshot): Promise<{ readonly closed: number; readonly failure?: unknown }> {
    const { mesh, images } = this.#parts
    const { gone, added } = this.#pods.difference(planPods(snapshot, images))
    await this.#pods.end(gone)
    const closed = mesh.swap(snapshot, mesh.generation + 1)
    this.#snapshot = snapshot
    if (this.#published !== undefined) this.publish(this.#published)
    if (added.length === 0) return { closed }
    try {
      await this.#pods.start(added)
      const keys = added.map(({ pod }) => pod.key)
      const left = await this.#pods.whenReady({ timeoutMs: changeReadyMs, keys })
      if (left.length === 0) return { closed }
      const failure = new ClusterError(
        'not-ready',
        `${left.join(', ')} did not become ready, so the change was taken back; ${join(this.#parts.options.stateDir, 'logs')} tells why.`,
      )
      return { closed, failure }
    } catch (failure) {
      return { closed, failure }
    }
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(() => {
      if (this.#stopping !== undefined) throw new ClusterError('stopping', 'the target is being taken down.')
      return work()
    })
    this.#last = next.catch(() => undefined)
    return next
  }

  get #timeoutMs(): number {
    return this.#parts.options.connectTimeoutMs ?? connectTimeoutMs
  }

  #layers(): readonly LayerState[] {
    return layersOf(this.#parts.base.resources, this.#parts.switches.off)
  }

  #nextRun(kind: string): string {
    return `${kind}-${++this.#runs}`
  }
}

/** What is wrong with manifests is the user's to mend: the loader's sentence, as one of our errors. */
async function said<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw new ClusterError('bad-manifests', messageOf(error), { cause: error })
  }
}
