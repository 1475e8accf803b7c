import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import type { Explanation } from '@bulkhead/analysis'
import type { MeshApi, RunningOutside } from '@bulkhead/mesh'
import type { Attempt, Change, Evidence, LayerState, Target } from '@bulkhead/scenarios'
import type { Flow, FlowRecord, Verdict } from '@bulkhead/verdict'
import type { Admission, Requester } from '@bulkhead/verdict/admission'
import { Audit, type RefusedRequest } from './admission/audit.js'
import { nothingHeld, podlessOf, storedOf } from './admission/entries.js'
import { pass } from './admission/gate.js'
import { scanned } from './admission/scan.js'
import { type Admitted, admittedOf } from './admission/whole.js'
import { assemble, type Parts } from './assemble.js'
import type {
  ClusterStatus,
  ExecGrant,
  LayersSwitched,
  LocalClusterOptions,
  ManifestsEvent,
  NamedChange,
  ObjectInForce,
} from './cluster-types.js'
import { diffed } from './diffed.js'
import { badManifests, ClusterError } from './errors.js'
import { localImages } from './images.js'
import { allBut, inForce } from './in-force.js'
import { KubeApi } from './kube-api/index.js'
import { compileFirst } from './lingering.js'
import { meshLog } from './mesh-log.js'
import { LayerSwitches, layersOf } from './overlay.js'
import type { AttemptOptions } from './probes.js'
import { GeneratedSecrets, type ToldOnce } from './secrets.js'
import { claim, forget } from './state.js'
import { statusOf } from './status.js'
import { tryFrom } from './try-from.js'

const connectTimeoutMs = 1000
/** When a start failed, what was started of it need not end gently. */
const failedGraceMs = 500

/**
 * The local target: plays Kubernetes on one machine. Places the manifests' pods on nodes, runs their containers as
 * child processes, probes and restarts them, and has the mesh enforce the policies that are in force.
 */
export class LocalCluster implements Target {
  readonly name = 'local'
  readonly #parts: Parts
  readonly #started = new Date().toISOString()
  readonly #audit = new Audit()
  #published: { readonly url: string; readonly token: string } | undefined
  #runs = 0
  #stopping: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Reads the manifests, and starts the mesh and every pod. Resolves when all pods were started; `whenReady` tells when
   * they answer. Whatever goes wrong, nothing of it is left running.
   *
   * @throws ClusterError: `already-up`, `state-dir`, `bad-manifests`, `unknown-image`, `bad-pod`, `unknown-layer`, and
   * `stopping` when the signal was given meanwhile.
   */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const { stateDir, images = localImages, progress = () => undefined, signal } = options
    const engine = options.engine ?? (await import('./real-engine.js')).realEngine
    const goOn = () => {
      if (signal?.aborted === true) throw new ClusterError('stopping', 'the start was interrupted.')
    }
    goOn()
    const held = claim(stateDir)
    let mesh: MeshApi | undefined
    let outside: Promise<RunningOutside> | undefined
    let kubeApi: Promise<KubeApi> | undefined
    let log: ReturnType<typeof meshLog> | undefined
    let cluster: LocalCluster | undefined
    try {
      if (held.leftovers > 0) progress({ kind: 'leftovers', processes: held.leftovers })
      await options.claimed?.()
      if (options.fresh === true) forget(stateDir)
      // It may have to look whether there is a way out, while the manifests are read.
      log = meshLog(join(stateDir, 'logs', 'mesh.log'))
      const api = KubeApi.create({ runDir: held.runDir, log })
      kubeApi = api
      api.catch(() => undefined)
      outside = engine.startOutside({
        mode: options.outside ?? 'stand-in',
        runDir: held.runDir,
        apiServer: async (dialling) => (await api).dial(dialling),
      })
      outside.catch(() => undefined)
      const loaded = await badManifests(() => engine.load(options.manifests, options.relativeTo ?? process.cwd()))
      goOn()
      const switches = new LayerSwitches(stateDir)
      if (options.layers !== undefined) switches.set(allBut(options.layers, layersOf(loaded.resources, new Set())))
      const written = loaded.resources
      const first = await pass(engine, nothingHeld, { wanted: inForce(written, switches.off, []), written })
      const secrets = new GeneratedSecrets(stateDir, (text) => progress({ kind: 'note', text }))
      const { rootCa } = await api
      const { snapshot, plans } = await compileFirst(
        { resources: storedOf(first.held, 'running'), podless: podlessOf(first.held) },
        { engine, images, secrets, rootCa },
      )
      const starting = [...plans.values()].filter(({ refused }) => refused === undefined)
      progress({ kind: 'admission', ...admittedOf(nothingHeld, first) })
      progress({
        kind: 'manifests',
        objects: loaded.resources.length,
        pods: starting.length,
        warnings: loaded.warnings,
      })
      const beyond = await outside
      const extraCa = join(held.runDir, 'outside-ca.pem')
      const trusted = join(held.runDir, 'trusted-cas.pem')
      await writeFile(extraCa, beyond.root, { mode: 0o600 })
      await writeFile(trusted, [...rootCertificates, beyond.root].join('\n'), { mode: 0o600 })
      mesh = await engine.startMesh({
        runDir: held.runDir,
        snapshot,
        outside: beyond,
        connectTimeoutMs: options.connectTimeoutMs ?? connectTimeoutMs,
        log,
      })
      progress({ kind: 'mesh' })
      progress({ kind: 'outside', hosts: beyond.hosts })
      goOn()
      const adopted = () => {
        if (cluster !== undefined) cluster.#tellGeneration()
      }
      const cas = { extraCa, trusted }
      const own = { options, engine, images, secrets, claim: held }
      const given = { ...own, mesh, outside: beyond, kubeApi: await api, log, adopted, cas }
      const parts = assemble(given, { loaded, switches, snapshot, plans, held: first.held })
      cluster = new LocalCluster(parts)
      const { pods, ports, saves } = parts
      await pods.start(starting)
      await ports.follow(snapshot)
      if (options.watch) await saves.start()
      goOn()
      return cluster
    } catch (error) {
      if (cluster !== undefined) await cluster.stop({ graceMs: failedGraceMs })
      else {
        await mesh?.close()
        await outside?.then((started) => started.close()).catch(() => undefined)
        await kubeApi?.then((started) => started.close()).catch(() => undefined)
        log?.close()
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

  /** Called when a save is in force, was refused, or its pods have come up. Returns the way to stop it. */
  onManifests(listener: (event: ManifestsEvent) => void): () => void {
    const { events } = this.#parts
    events.on('manifests', listener)
    return () => events.off('manifests', listener)
  }

  /** The pods that are not ready when all are, or the time is over: none, when all is well. */
  whenReady(timeoutMs: number, signal?: AbortSignal): Promise<readonly string[]> {
    const { options, pods } = this.#parts
    return pods.whenReady({
      timeoutMs,
      ...(signal !== undefined && { signal }),
      progress: (ready, of, waitingFor) => options.progress?.({ kind: 'pods', ready, of, waitingFor }),
    })
  }

  status(): ClusterStatus {
    return statusOf(this.#parts, this.#started, this.#timeoutMs)
  }

  /** What admission would say of each object of the change, in order, as `apply` would ask it. Nothing is changed. */
  admit(change: Change, user?: Requester): Promise<readonly Admission[]> {
    return this.#parts.enforcement.admit(change, user)
  }

  async layers(): Promise<readonly LayerState[]> {
    return this.#parts.enforcement.layers()
  }

  async predict(flow: Flow): Promise<Verdict> {
    return this.#parts.engine.judge(flow, this.#parts.enforcement.snapshot)
  }

  /** The same, with the smallest change that would allow it. */
  async explain(flow: Flow): Promise<Explanation> {
    return this.#parts.engine.explain(flow, this.#parts.enforcement.snapshot)
  }

  /** Takes walls down and puts them up, live. Resolves with what that opened and closed. */
  async setLayers(change: {
    readonly on?: readonly string[]
    readonly off?: readonly string[]
  }): Promise<LayersSwitched> {
    const { enforcement, engine, ports } = this.#parts
    const { closed, generation, before, after } = await enforcement.setLayers(change)
    await ports.settled()
    const found = change.on === undefined ? {} : { wouldRefuse: scanned(engine, enforcement.held) }
    return { closed, generation, ...diffed(engine, before, after), ...found }
  }

  /** The changes that stand, as they were given. */
  standing(): readonly NamedChange[] {
    return this.#parts.enforcement.standing()
  }

  /** Every object that is in force, and what brought it. */
  objects(): readonly ObjectInForce[] {
    return this.#parts.enforcement.objects()
  }

  /**
   * Puts a change in force until it is withdrawn; the same name again replaces it. Resolves when the pods that it adds
   * are ready; when they do not become ready it is taken back.
   */
  async apply(name: string, change: Change): Promise<void> {
    await this.put(name, change)
  }

  /** The same, with what admission said of it beside its yes. */
  async put(name: string, change: Change): Promise<Admitted> {
    const admitted = await this.#audit.follow(this.#parts.enforcement.apply(name, change))
    await this.#parts.ports.settled()
    return admitted
  }

  /** The changes that admission refused since the start; of very many the latest. */
  refused(): readonly RefusedRequest[] {
    return this.#audit.refused
  }

  async withdraw(name: string): Promise<void> {
    await this.#audit.follow(this.#parts.enforcement.withdraw(name))
    await this.#parts.ports.settled()
  }

  async attempt(from: string, attempt: Attempt, options: AttemptOptions = {}): Promise<Evidence> {
    const { images, pods, enforcement, mesh, probes } = this.#parts
    const { stateDir, userEnv = process.env } = this.#parts.options
    const host = {
      mesh,
      snapshot: enforcement.snapshot,
      probes,
      connectTimeoutMs: this.#timeoutMs,
      secret: (namespace: string, name: string, key: string) => this.secretValue(namespace, name, key),
      serviceAccountToken: async (workload: string) => pods.tokenOf(workload),
    }
    const caller = { images, pods, probes, stateDir, userEnv, run: this.#nextRun('attempt') }
    return tryFrom(from, attempt, host, caller, options)
  }

  /**
   * The right to run a program as a pod of the workload, with the environment of its first container and nothing of the
   * user's beyond what finds programs; SOCKS for those that are not Node's.
   */
  exec(from: string): ExecGrant {
    const runner = this.#parts.pods.program(from)
    const run = this.#nextRun('exec')
    const { env, over } = runner.launchBeside({ run, socks: true })
    return { run, pod: runner.plan.pod.key, env, revoke: over }
  }

  /**
   * The value of a Secret's key, one that was made here too. Undefined when there is no such Secret or key. For what the
   * target itself does with it; no answer of its API holds it.
   */
  secretValue(namespace: string, name: string, key: string): string | undefined {
    const { enforcement, secrets } = this.#parts
    const find = (wanted: string) => enforcement.snapshot.resources.find(({ id }) => id === wanted)
    const found = find(`Secret/${namespace}/${name}`)
    return found === undefined ? undefined : secrets.of(found, find)[key]
  }

  /**
   * What Secrets that were made at this start have for a person to know: the first call has it, and none after. For the
   * terminal of whoever started the target, and for nothing that is kept.
   */
  takeUntold(): readonly ToldOnce[] {
    return this.#parts.secrets.takeUntold()
  }

  flows(filter?: { run?: string }): readonly FlowRecord[] {
    return this.#parts.mesh.flows(filter)
  }

  /** The log files of a workload's pods (or of one pod). @throws ClusterError `unknown-workload` */
  logs(of: string): readonly { readonly pod: string; readonly file: string }[] {
    return this.#parts.pods.of(of).map((runner) => ({ pod: runner.plan.pod.key, file: runner.logFile }))
  }

  /**
   * Ends everything that was started, and gives the state folder back: callers before those that they call, so that what
   * was taken in is answered. `graceMs` bounds the pods' own grace periods. Asked again, it waits for the same end.
   */
  stop(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.graceMs)
    return this.#stopping
  }

  async #stop(graceMs: number | undefined): Promise<void> {
    const { pods, mesh, outside, kubeApi, claim: held, enforcement, ports, probes, saves, log, nodeProcs } = this.#parts
    await saves.close()
    const changed = enforcement.end()
    await ports.close()
    await pods.stopAll(graceMs)
    // A change that was under way may have started more.
    await changed
    await pods.end(undefined, graceMs)
    await probes.close()
    nodeProcs.close()
    await mesh.close()
    await outside.close()
    await kubeApi.close()
    log.close()
    held.release()
  }

  /** What is in the file is for people; that it cannot be written must not undo what is in force. */
  #tellGeneration(): void {
    try {
      if (this.#published !== undefined) this.publish(this.#published)
    } catch {
      // The next one may be.
    }
  }

  get #timeoutMs(): number {
    return this.#parts.options.connectTimeoutMs ?? connectTimeoutMs
  }

  #nextRun(kind: string): string {
    return `${kind}-${++this.#runs}`
  }
}
