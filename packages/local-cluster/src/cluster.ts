import { EventEmitter } from 'node:events'
import type { MeshApi } from '@bulkhead/mesh'
import type { LoadResult, Resource } from '@bulkhead/resources'
import type { Attempt, Change, Evidence, LayerState, Target } from '@bulkhead/scenarios'
import type { Flow, FlowRecord, Snapshot, Verdict } from '@bulkhead/verdict'
import { type AttemptOptions, makeAttempt } from './attempt.js'
import { restartTimes } from './backoff.js'
import type { ClusterStatus, LocalClusterOptions, ProgressEvent, WorkloadStatus } from './cluster-types.js'
import type { Launch } from './container.js'
import type { Engine } from './engine.js'
import { ClusterError, messageOf } from './errors.js'
import { localImages } from './images.js'
import { findLayer, LayerSwitches, layersOf } from './overlay.js'
import { planPods } from './plan.js'
import { PodRunner } from './pod-runner.js'
import { ProcessList } from './processes.js'
import { type Claim, claim, forget } from './state.js'

const connectTimeoutMs = 1000
/** How long new pods of a change may take until they are ready, before it is taken back. */
const changeReadyMs = 30_000
const rotateEveryMs = 2000

/** What a program needs to run as a workload's pod, until it is given back. */
export interface ExecGrant {
  readonly run: string
  readonly pod: string
  readonly env: Readonly<Record<string, string>>
  revoke(): void
}

/**
 * The local target: plays Kubernetes on one machine. Places the manifests' pods on two nodes, runs their containers as
 * child processes, probes and restarts them, and has the mesh enforce the policies that are in force.
 *
 * Changes of what is in force are made one at a time, and each is whole or not at all.
 */
export class LocalCluster implements Target {
  readonly name = 'local'
  readonly #options: LocalClusterOptions
  readonly #engine: Engine
  readonly #claim: Claim
  readonly #base: LoadResult
  readonly #switches: LayerSwitches
  readonly #processes: ProcessList
  readonly #pods = new Map<string, PodRunner>()
  readonly #changes = new Map<
    string,
    { readonly objects: readonly Resource[]; readonly without: ReadonlySet<string> }
  >()
  readonly #events = new EventEmitter()
  readonly #started = new Date().toISOString()
  readonly #mesh: MeshApi
  readonly #rotation: NodeJS.Timeout
  #snapshot: Snapshot
  #generation: number
  #runs = 0
  #last: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined

  private constructor(
    options: LocalClusterOptions,
    parts: {
      engine: Engine
      claim: Claim
      base: LoadResult
      switches: LayerSwitches
      snapshot: Snapshot
      mesh: MeshApi
    },
  ) {
    this.#options = options
    this.#engine = parts.engine
    this.#claim = parts.claim
    this.#base = parts.base
    this.#switches = parts.switches
    this.#snapshot = parts.snapshot
    this.#mesh = parts.mesh
    this.#generation = parts.mesh.generation
    this.#processes = new ProcessList(parts.claim.processesFile)
    this.#events.setMaxListeners(0)
    this.#rotation = setInterval(() => {
      for (const pod of this.#pods.values()) pod.rotateLog()
    }, rotateEveryMs)
    this.#rotation.unref()
  }

  /**
   * Reads the manifests, and starts the mesh and every pod. Resolves when all processes were started; `whenReady` tells
   * when they answer. Whatever goes wrong, nothing of it is left running.
   *
   * @throws ClusterError: `already-up`, `state-dir`, `bad-manifests`, `unknown-image`, `bad-pod`, `unknown-layer`.
   */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const engine = options.engine ?? (await import('./real-engine.js')).realEngine
    const held = claim(options.stateDir)
    let mesh: MeshApi | undefined
    let cluster: LocalCluster | undefined
    try {
      const progress = options.progress ?? (() => undefined)
      if (held.leftovers > 0) progress({ kind: 'leftovers', processes: held.leftovers })
      await options.claimed?.()
      if (options.fresh === true) forget(options.stateDir)
      const base = await said(() => engine.load(options.manifests, options.relativeTo ?? process.cwd()))
      const switches = new LayerSwitches(options.stateDir)
      if (options.layers !== undefined) switches.set(others(options.layers, layersOf(base.resources, new Set())))
      const snapshot = await said(() => engine.compile(inForce(base.resources, switches.off, [])))
      const plans = planPods(snapshot, options.images ?? localImages)
      progress({ kind: 'manifests', objects: base.resources.length, pods: plans.size, warnings: base.warnings })
      mesh = await engine.startMesh({
        runDir: held.runDir,
        snapshot,
        connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMs,
      })
      progress({ kind: 'mesh' })
      cluster = new LocalCluster(options, { engine, claim: held, base, switches, snapshot, mesh })
      const runners = [...plans.values()].map((plan) => (cluster as LocalCluster).#add(plan))
      await Promise.all(runners.map((runner) => runner.start()))
      return cluster
    } catch (error) {
      if (cluster !== undefined) await cluster.stop({ graceMs: 500 })
      else {
        await mesh?.close()
        held.release()
      }
      throw error
    }
  }

  /** Writes what clients need to find this target into `control.json`. */
  publish(fields: { readonly url: string; readonly token: string }): void {
    this.#claim.publish({ ...fields, generation: this.#generation })
    this.#events.on('swapped', () => this.#claim.publish({ ...fields, generation: this.#generation }))
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  get mesh(): MeshApi {
    return this.#mesh
  }

  get warnings(): LoadResult['warnings'] {
    return this.#base.warnings
  }

  /** Called whenever a pod, or what is in force, has changed. Returns the way to stop it. */
  onChange(listener: () => void): () => void {
    this.#events.on('changed', listener)
    return () => this.#events.off('changed', listener)
  }

  /** The pods that are not ready when all are, or the time is over: none, when all is well. */
  async whenReady(timeoutMs: number, signal?: AbortSignal, keys?: readonly string[]): Promise<readonly string[]> {
    const waiting = () =>
      [...this.#pods.values()]
        .filter((pod) => !pod.ready && (keys?.includes(pod.plan.pod.key) ?? true))
        .map((pod) => pod.plan.pod.key)
    let said = -1
    return new Promise((resolve) => {
      const look = () => {
        const left = waiting()
        const of = keys?.length ?? this.#pods.size
        if (left.length !== said) {
          said = left.length
          this.#progress({ kind: 'pods', ready: of - left.length, of, waitingFor: left })
        }
        if (left.length === 0) over()
      }
      const over = () => {
        clearTimeout(timer)
        this.#events.off('changed', look)
        signal?.removeEventListener('abort', over)
        resolve(waiting())
      }
      const timer = setTimeout(over, timeoutMs)
      signal?.addEventListener('abort', over, { once: true })
      this.#events.on('changed', look)
      look()
    })
  }

  status(): ClusterStatus {
    return {
      target: 'local',
      pid: process.pid,
      generation: this.#generation,
      started: this.#started,
      stateDir: this.#options.stateDir,
      nodes: this.#snapshot.nodes,
      layers: this.#layers(),
      changes: [...this.#changes.keys()],
      workloads: this.#workloads(),
      notModelled: this.#snapshot.notModelled,
      shortened: [
        `a dropped packet is given up after ${this.#timeout / 1000} s here (10 s on a cluster)`,
        restartTimes.says,
      ],
    }
  }

  async layers(): Promise<readonly LayerState[]> {
    return this.#layers()
  }

  async predict(flow: Flow): Promise<Verdict> {
    return this.#engine.judge(flow, this.#snapshot)
  }

  /** Takes walls down and puts them up, live. Resolves with how many open connections were closed by it. */
  setLayers(change: {
    readonly on?: readonly string[]
    readonly off?: readonly string[]
  }): Promise<{ readonly closed: number; readonly generation: number }> {
    return this.#serially(async () => {
      const layers = layersOf(this.#base.resources, this.#switches.off)
      const off = new Set(this.#switches.off)
      for (const name of change.off ?? []) off.add(findLayer(name, layers))
      for (const name of change.on ?? []) off.delete(findLayer(name, layers))
      const closed = await this.#enforce(inForce(this.#base.resources, off, [...this.#changes.values()]))
      this.#switches.set(off)
      return { closed, generation: this.#generation }
    })
  }

  /**
   * Puts a change in force until it is withdrawn; the same name again replaces it. Resolves when the pods that it adds
   * are ready; when they do not become ready it is taken back.
   */
  async apply(name: string, change: Change): Promise<void> {
    const objects = await said(() =>
      change.objects === undefined ? [] : this.#engine.parse(change.objects, change.file ?? name),
    )
    await this.#serially(async () => {
      const changes = new Map(this.#changes).set(name, { objects, without: new Set(change.without) })
      await this.#enforce(inForce(this.#base.resources, this.#switches.off, [...changes.values()]))
      this.#changes.set(name, { objects, without: new Set(change.without) })
    })
  }

  async withdraw(name: string): Promise<void> {
    await this.#serially(async () => {
      if (!this.#changes.has(name)) {
        throw new ClusterError(
          'unknown-change',
          `no change named ${JSON.stringify(name)} stands; there are ${[...this.#changes.keys()].join(', ') || 'none'}.`,
        )
      }
      const changes = new Map(this.#changes)
      changes.delete(name)
      await this.#enforce(inForce(this.#base.resources, this.#switches.off, [...changes.values()]))
      this.#changes.delete(name)
    })
  }

  async attempt(from: string, attempt: Attempt, options: AttemptOptions = {}): Promise<Evidence> {
    const runner = this.#podOf(from)
    const probe = (this.#options.images ?? localImages).get('localhost/bulkhead/probe')
    if (probe === undefined)
      throw new ClusterError('bad-attempt', 'there is no probe program here that could make an attempt.')
    return makeAttempt(
      this.#nextRun('attempt'),
      runner.plan.pod,
      attempt,
      {
        mesh: this.#mesh,
        snapshot: this.#snapshot,
        processes: this.#processes,
        connectTimeoutMs: this.#timeout,
        probe: `${probe.root}/dist/main.js`,
        launch: (argv, run): Launch => runner.launch(undefined, argv, { run }),
      },
      options,
    )
  }

  /** The right to run a program as a pod of the workload; SOCKS for those that are not Node's. */
  exec(from: string): ExecGrant {
    const runner = this.#podOf(from)
    const run = this.#nextRun('exec')
    const grant = this.#mesh.grant(runner.plan.pod.key, { run, socks: true })
    return { run, pod: runner.plan.pod.key, env: grant.env, revoke: () => grant.revoke() }
  }

  flows(filter?: { run?: string }): readonly FlowRecord[] {
    return this.#mesh.flows(filter)
  }

  /** The log files of a workload's pods (or of one pod). */
  logs(of: string): readonly { readonly pod: string; readonly file: string }[] {
    const found = [...this.#pods.values()].filter(({ plan }) => plan.pod.workload === of || plan.pod.key === of)
    if (found.length === 0) throw this.#unknownWorkload(of)
    return found.map((runner) => ({ pod: runner.plan.pod.key, file: runner.logFile }))
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
    clearInterval(this.#rotation)
    await Promise.all([...this.#pods.values()].map((runner) => runner.stop(graceMs)))
    await this.#last.catch(() => undefined)
    await Promise.all([...this.#pods.values()].map((runner) => runner.stop(graceMs).then(() => runner.remove())))
    await this.#mesh.close()
    this.#claim.release()
  }

  /**
   * Puts a set of objects in force. A set that cannot be is refused before anything is touched; when its pods do not
   * come up, what was in force before is put back.
   */
  async #enforce(resources: readonly Resource[]): Promise<number> {
    const before = this.#snapshot
    const snapshot = await said(() => this.#engine.compile(resources, { previous: before }))
    const { closed, problem } = await this.#adopt(snapshot)
    if (problem === undefined) return closed
    await this.#adopt(this.#engine.compile(before.resources, { previous: snapshot }))
    throw problem
  }

  async #adopt(snapshot: Snapshot): Promise<{ closed: number; problem?: ClusterError }> {
    const plans = planPods(snapshot, this.#options.images ?? localImages)
    const gone = [...this.#pods.values()].filter(
      (runner) => plans.get(runner.plan.pod.key)?.fingerprint !== runner.plan.fingerprint,
    )
    await Promise.all(gone.map((runner) => runner.stop()))
    await Promise.all(gone.map((runner) => runner.remove()))
    for (const runner of gone) this.#pods.delete(runner.plan.pod.key)
    const closed = this.#mesh.swap(snapshot, ++this.#generation)
    this.#snapshot = snapshot
    this.#events.emit('swapped')
    this.#events.emit('changed')
    const added = [...plans.values()].filter(({ pod }) => !this.#pods.has(pod.key)).map((plan) => this.#add(plan))
    try {
      await Promise.all(added.map((runner) => runner.start()))
      const keys = added.map((runner) => runner.plan.pod.key)
      const left = keys.length === 0 ? [] : await this.whenReady(changeReadyMs, undefined, keys)
      if (left.length === 0) return { closed }
      throw new ClusterError(
        'not-ready',
        `${left.join(', ')} did not become ready within ${changeReadyMs / 1000} s; \`bulkhead logs\` tells why. The change was taken back.`,
      )
    } catch (error) {
      return {
        closed,
        problem:
          error instanceof ClusterError ? error : new ClusterError('not-ready', messageOf(error), { cause: error }),
      }
    }
  }

  #add(plan: PodRunner['plan']): PodRunner {
    const runner = new PodRunner(plan, {
      mesh: this.#mesh,
      processes: this.#processes,
      stateDir: this.#options.stateDir,
      userEnv: this.#options.userEnv ?? process.env,
      changed: () => this.#events.emit('changed'),
    })
    this.#pods.set(plan.pod.key, runner)
    return runner
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(() => {
      if (this.#stopping !== undefined) throw new ClusterError('stopping', 'the target is being taken down.')
      return work()
    })
    this.#last = next.catch(() => undefined)
    return next
  }

  get #timeout(): number {
    return this.#options.connectTimeoutMs ?? connectTimeoutMs
  }

  #layers(): readonly LayerState[] {
    return layersOf(this.#base.resources, this.#switches.off)
  }

  #podOf(workload: string): PodRunner {
    const found = [...this.#pods.values()].filter(
      ({ plan }) => plan.pod.workload === workload || plan.pod.key === workload,
    )
    const runner = found.find(({ ready }) => ready) ?? found[0]
    if (runner === undefined) throw this.#unknownWorkload(workload)
    return runner
  }

  #unknownWorkload(workload: string): ClusterError {
    const known = [...new Set([...this.#snapshot.pods.values()].map((pod) => pod.workload))].sort()
    return new ClusterError(
      'unknown-workload',
      `there is no workload ${JSON.stringify(workload)}; there are ${known.join(', ') || 'none'}.`,
    )
  }

  #workloads(): readonly WorkloadStatus[] {
    const byName = new Map<string, PodRunner[]>()
    for (const runner of this.#pods.values())
      byName.set(runner.plan.pod.workload, [...(byName.get(runner.plan.pod.workload) ?? []), runner])
    return [...byName]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([workload, runners]) => ({
        workload,
        kind: runners[0]?.plan.kind ?? '',
        ready: runners.filter(({ ready }) => ready).length,
        of: runners.length,
        pods: runners.map((runner) => runner.status()),
      }))
  }

  #nextRun(kind: string): string {
    return `${kind}-${++this.#runs}`
  }

  #progress(event: ProgressEvent): void {
    this.#options.progress?.(event)
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

/** What is in force: the files' objects without the layers that are off, then each change on top of it. */
function inForce(
  base: readonly Resource[],
  off: ReadonlySet<string>,
  changes: readonly { readonly objects: readonly Resource[]; readonly without: ReadonlySet<string> }[],
): readonly Resource[] {
  const objects = new Map<string, Resource>()
  for (const resource of base)
    if (resource.layer === undefined || !off.has(resource.layer)) objects.set(keyOf(resource), resource)
  for (const change of changes) {
    for (const [key, resource] of objects) if (change.without.has(resource.id)) objects.delete(key)
    for (const resource of change.objects) objects.set(keyOf(resource), resource)
  }
  return [...objects.values()]
}

/** Kinds of different API groups may share a name. */
const keyOf = (resource: Resource): string => `${groupOf(resource)} ${resource.id}`
const groupOf = ({ object }: Resource): string =>
  object.apiVersion.includes('/') ? (object.apiVersion.split('/')[0] ?? '') : ''

/** The layers that are not named: those to be off. */
function others(on: readonly string[], layers: readonly LayerState[]): ReadonlySet<string> {
  const kept = new Set(on.map((name) => findLayer(name, layers)))
  return new Set(layers.map(({ name }) => name).filter((name) => !kept.has(name)))
}
