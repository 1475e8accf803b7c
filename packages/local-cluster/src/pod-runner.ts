import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { MeshApi } from '@bulkhead/mesh'
import type { Pod } from '@bulkhead/verdict'
import { accessLine } from './access-log.js'
import {
  type ContainerPhase,
  ContainerRunner,
  type ContainerStatus,
  endedWell,
  type Launch,
  spawnTied,
} from './container.js'
import { podEnv } from './env.js'
import type { TokenFile, TokenFiles } from './kube-api/token-files.js'
import { LogFile, lastWords, wantsLastWords } from './logs.js'
import { type PlannedContainer, type PodPlan, restartPolicy } from './plan.js'
import { Prober } from './prober.js'
import type { ProcessList } from './processes.js'
import type { SeenPod } from './seen-pod.js'
import { emptyHostPaths, imageVolumes, makeVolumes, pointToVolumes, type Rewritten, tokenFiles } from './volumes.js'

export interface PodStatus {
  /** `namespace/name` */
  readonly pod: string
  readonly node: string
  readonly ip: string
  readonly identity: string
  readonly mesh: boolean
  readonly ready: boolean
  /** It is being replaced or taken away, and finishes what it has taken in. */
  readonly leaving?: true
  /** `namespace/name` of the Gateway, a waypoint's too, that it stands for: the mesh plays it, and it has no containers. */
  readonly gateway?: string
  readonly containers: readonly ContainerStatus[]
  /** Ports that its processes listen on. */
  readonly listening: readonly number[]
  /** Values of the environment that point to the pod's folder instead of a mount. */
  readonly rewritten: readonly Rewritten[]
  readonly log: string
}

export interface PodHost {
  readonly mesh: MeshApi
  readonly processes: ProcessList
  /** The state folder. */
  readonly stateDir: string
  /** The user's environment, of which a pod gets what Node needs and no more. */
  readonly userEnv: Readonly<Record<string, string | undefined>>
  /** A file of certificates that its programs trust beside Node's own: the stand-in's for the outside. */
  readonly extraCa: string
  /** The same certificates and Node's own in one file, for programs that take one file and no more. */
  readonly trusted: string
  /** Who writes the tokens of their ServiceAccounts into pods' volumes. Absent: nobody does. */
  readonly tokens?: Pick<TokenFiles, 'keep'>
  /** Where a node's /proc is laid out. Absent: nobody does. */
  readonly procOf?: (node: string) => string
  readonly changed: (pod: string) => void
}

/** A pod: its folder, its log, its containers, and what the kubelet does for it. */
export class PodRunner {
  readonly plan: PodPlan
  /** As the policies in force know it. */
  pod: Pod
  /** Another one for each pod that has had its name. */
  readonly uid = randomUUID()
  readonly #created = new Date()
  readonly #host: PodHost
  readonly #folder: string
  readonly #log: LogFile
  readonly #runners: ContainerRunner[] = []
  readonly #ready = new Map<string, boolean>()
  readonly #probers = new Map<string, Prober>()
  readonly #rewritten: Rewritten[] = []
  readonly #over = new AbortController()
  #volumes: ReadonlyMap<string, string> = new Map()
  #tokens: readonly TokenFile[] = []
  #isReady = false
  #isLeaving = false
  #leavingSince: Date | undefined
  #notFollowing: () => void = () => undefined
  #notRenewing: () => void = () => undefined

  constructor(plan: PodPlan, host: PodHost) {
    this.plan = plan
    this.pod = plan.pod
    this.#host = host
    this.#folder = join(host.stateDir, 'pods', plan.pod.namespace, plan.pod.name)
    this.#log = new LogFile(join(host.stateDir, 'logs', plan.pod.namespace, `${plan.pod.name}.log`))
  }

  get key(): string {
    return this.plan.pod.key
  }

  /** Aborted when it begins to end. */
  get ending(): AbortSignal {
    return this.#over.signal
  }

  get ready(): boolean {
    return this.#isReady
  }

  get leaving(): boolean {
    return this.#isLeaving
  }

  /** How often its containers were started again. */
  get restarts(): number {
    return this.#runners.reduce((sum, { status }) => sum + status.restarts, 0)
  }

  get logFile(): string {
    return this.#log.file
  }

  /** The token of its ServiceAccount, as whoever gets into the pod reads it; undefined when it was given none. */
  get token(): string | undefined {
    const own = this.#tokens.find(({ audience }) => audience === undefined)
    return own && readFileSync(own.file, 'utf8')
  }

  rotateLog(): void {
    this.#log.rotate()
  }

  status(): PodStatus {
    const { key, node, ip, identity, mesh, gateway = this.pod.waypoint } = this.pod
    return {
      pod: key,
      node,
      ip,
      identity,
      mesh,
      ready: this.#isReady,
      ...(this.#isLeaving && { leaving: true }),
      ...(gateway !== undefined && { gateway }),
      containers: this.#runners.map((runner) => runner.status),
      listening: this.#host.mesh.listening(key),
      rewritten: this.#rewritten,
      log: this.#log.file,
    }
  }

  /** What the API server tells of it. */
  get seen(): SeenPod {
    return {
      pod: this.pod,
      plan: this.plan,
      uid: this.uid,
      created: this.#created,
      ...(this.#leavingSince !== undefined && { leaving: this.#leavingSince }),
      containers: this.#runners.map((runner) => runner.seen),
      ready: (container) => (container === undefined ? this.#isReady : this.#ready.get(container) === true),
    }
  }

  /**
   * Resolves when its first container was started; those behind an init container, and being ready, come later. The pod
   * must be in the mesh's snapshot.
   */
  async start(): Promise<void> {
    const { plan } = this
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(join(this.#folder, 'tmp'), { recursive: true, mode: 0o700 })
    const folder = join(this.#folder, 'volumes')
    this.#volumes = makeVolumes(plan, { folder, data: join(this.#host.stateDir, 'data'), procOf: this.#host.procOf })
    for (const { volume, path } of emptyHostPaths(plan.spec))
      this.#log.note(
        `volume ${volume}: the host's ${path} is an empty folder here; of a host's files a node has its /proc`,
      )
    await this.#keepTokens(folder)
    for (const { spec } of plan.containers) this.#ready.set(spec.name, false)
    await this.#host.mesh.addPod(plan.pod.key)
    const played = plan.pod.gateway ?? plan.pod.waypoint
    if (played === undefined) this.#startFrom(0)
    else this.#play(played)
  }

  /** What is in its volumes to be shown to the API server, and to others who know its tokens. */
  async #keepTokens(folder: string): Promise<void> {
    const files = tokenFiles(this.plan.spec, folder)
    this.#tokens = files
    const { namespace, name, node, serviceAccount } = this.plan.pod
    const bound = { namespace, name, uid: this.uid, node, serviceAccount }
    if (files.length > 0) this.#notRenewing = (await this.#host.tokens?.keep(bound, files)) ?? this.#notRenewing
    if (this.#over.signal.aborted) this.#notRenewing()
  }

  /** A gateway's or a waypoint's proxy is no process: the mesh plays it. Its log is its access log. */
  #play(gateway: string): void {
    const { key } = this.plan.pod
    this.#log.note(`the mesh plays the proxy of Gateway ${gateway} itself: no program runs here; its requests follow`)
    this.#notFollowing = this.#host.mesh.onFlow((record) => {
      if (record.transport === 'http' && record.destination.pod === key) this.#log.write(`${accessLine(record)}\n`)
    })
    this.#setReady(true)
  }

  /** Init containers one by one, each when the one before has ended well; then all the others. */
  #startFrom(index: number): void {
    if (this.#over.signal.aborted) return
    const init = this.plan.init[index]
    const added =
      init === undefined
        ? this.plan.containers.map((container) => this.#runner(container))
        : [this.#initRunner(init, () => this.#startFrom(index + 1))]
    this.#runners.push(...added)
    for (const runner of added) runner.start()
  }

  /** Out of the Services: what comes from now on goes to others. */
  leave(): void {
    this.#isLeaving = true
    this.#leavingSince ??= new Date()
    for (const prober of this.#probers.values()) prober.stop()
    this.#setReady(false)
  }

  /** Out of the Services first, then SIGTERM, then, after the pod's grace period, SIGKILL. */
  async stop(maxGraceMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#over.abort()
    this.leave()
    const grace = Math.min((this.plan.spec.terminationGracePeriodSeconds ?? 30) * 1000, maxGraceMs)
    await Promise.all(this.#runners.map((runner) => runner.stop(grace)))
  }

  /** After `stop`: takes the pod out of the mesh. */
  async remove(): Promise<void> {
    await this.#host.mesh.removePod(this.plan.pod.key)
    this.#notFollowing()
    this.#notRenewing()
    this.#log.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** What a program needs to run as this pod. */
  launch(
    container: PlannedContainer | undefined,
    argv: readonly [string, ...string[]],
    options?: { run?: string; socks?: boolean },
  ): Launch & { readonly revoke: () => void } {
    const grant = this.#host.mesh.grant(this.plan.pod.key, options)
    const pointed = container === undefined ? undefined : this.#pointed(container)
    const own = { NODE_EXTRA_CA_CERTS: this.#host.extraCa, ...pointed?.env }
    const env = podEnv(this.#host.userEnv, this.#folder, this.plan.pod.name, own, grant.env)
    const over = () => grant.end()
    return { argv, cwd: this.#folder, env, mark: grant.mark, over, revoke: () => grant.revoke() }
  }

  /**
   * The same for a program that is no container's: it has what the first container has, and, since it may not be Node's,
   * the variables by which curl and others that use OpenSSL learn whom to trust.
   */
  launchBeside(options: { run: string; socks: boolean }): Pick<Launch, 'env' | 'over'> {
    const { env, revoke } = this.launch(this.plan.containers[0], [process.execPath], options)
    return { env: { CURL_CA_BUNDLE: this.#host.trusted, SSL_CERT_FILE: this.#host.trusted, ...env }, over: revoke }
  }

  #pointed(container: PlannedContainer): ReturnType<typeof pointToVolumes> {
    const own = imageVolumes(container, join(this.#folder, 'image'))
    return pointToVolumes(container.env, container.spec, this.#volumes, own)
  }

  #runner(container: PlannedContainer): ContainerRunner {
    const { name } = container.spec
    const runner: ContainerRunner = this.#newRunner(container, restartPolicy(this.plan), (phase) => {
      this.#probers.get(name)?.stop()
      this.#setContainerReady(name, false)
      if (phase === 'running' && !this.#over.signal.aborted) this.#probe(container, runner)
    })
    return runner
  }

  /** One that failed is run again, after a wait, unless the pod says Never: then the pod has failed. */
  #initRunner(container: PlannedContainer, done: () => void): ContainerRunner {
    const restart = restartPolicy(this.plan) === 'Never' ? 'Never' : 'OnFailure'
    const runner: ContainerRunner = this.#newRunner(container, restart, (phase) => {
      this.#host.changed(this.plan.pod.key)
      if (phase === 'ended' && runner.status.lastExit === endedWell) done()
    })
    return runner
  }

  #newRunner(
    container: PlannedContainer,
    restart: 'Always' | 'OnFailure' | 'Never',
    changed: (phase: ContainerPhase) => void,
  ): ContainerRunner {
    const { spec } = container
    this.#rewritten.push(...this.#pointed(container).rewritten)
    return new ContainerRunner({
      name: spec.name,
      image: spec.image,
      restart,
      launch: () => this.launch(container, container.argv),
      output: this.#log.descriptor,
      processes: this.#host.processes,
      note: (text) => this.#log.note(text),
      lastWords: wantsLastWords(spec) ? () => lastWords(this.#log.file) : undefined,
      changed,
    })
  }

  #probe(container: PlannedContainer, runner: ContainerRunner): void {
    const { spec, image } = container
    const { key, ip } = this.plan.pod
    const prober = new Prober({
      container: spec,
      image,
      host: ip,
      listens: (port) => this.#host.mesh.listening(key).includes(port),
      dial: (port, signal) => this.#host.mesh.dialAsKubelet(key, port, signal),
      exec: (argv) =>
        runner.status.pid === undefined
          ? undefined
          : spawnTied(this.launch(container, argv), ['ignore', 'pipe', 'pipe'], this.#host.processes),
      started: () => undefined,
      ready: (ready, reason) => {
        if (this.#ready.get(spec.name) !== ready)
          this.#log.note(`${spec.name}: ${ready ? 'ready' : `not ready: ${reason}`}`)
        this.#setContainerReady(spec.name, ready)
      },
      failed: (reason) => void runner.restart(reason, (this.plan.spec.terminationGracePeriodSeconds ?? 30) * 1000),
    })
    this.#probers.set(spec.name, prober)
    prober.start()
  }

  #setContainerReady(name: string, ready: boolean): void {
    this.#ready.set(name, ready)
    this.#setReady([...this.#ready.values()].every(Boolean))
  }

  #setReady(ready: boolean): void {
    // A probe that was under way when it left has no say any more.
    if (ready !== this.#isReady && !(ready && this.#isLeaving)) {
      this.#isReady = ready
      this.#host.mesh.setReady(this.plan.pod.key, ready)
    }
    this.#host.changed(this.plan.pod.key)
  }
}
