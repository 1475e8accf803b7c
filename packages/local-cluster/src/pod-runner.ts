import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { MeshApi } from '@bulkhead/mesh'
import { ContainerRunner, type ContainerStatus, type Launch, spawnTied } from './container.js'
import { ClusterError } from './errors.js'
import { PodLog } from './logs.js'
import type { PlannedContainer, PodPlan } from './plan.js'
import { Prober } from './prober.js'
import type { ProcessList } from './processes.js'
import { makeVolumes, pointToVolumes, type Rewritten } from './volumes.js'

export interface PodStatus {
  /** `namespace/name` */
  readonly pod: string
  readonly node: string
  readonly ip: string
  readonly identity: string
  readonly mesh: boolean
  readonly ready: boolean
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
  readonly changed: (pod: string) => void
}

/** A pod: its folder, its log, its containers, and what the kubelet does for it. */
export class PodRunner {
  readonly plan: PodPlan
  readonly #host: PodHost
  readonly #folder: string
  readonly #log: PodLog
  readonly #runners: ContainerRunner[] = []
  readonly #ready = new Map<string, boolean>()
  readonly #probers = new Map<string, Prober>()
  readonly #rewritten: Rewritten[] = []
  readonly #over = new AbortController()
  #volumes: ReadonlyMap<string, string> = new Map()
  #isReady = false

  constructor(plan: PodPlan, host: PodHost) {
    this.plan = plan
    this.#host = host
    this.#folder = join(host.stateDir, 'pods', plan.pod.namespace, plan.pod.name)
    this.#log = new PodLog(join(host.stateDir, 'logs', plan.pod.namespace, `${plan.pod.name}.log`))
  }

  get ready(): boolean {
    return this.#isReady
  }

  /** How often its containers were started again. */
  get restarts(): number {
    return this.#runners.reduce((sum, { status }) => sum + status.restarts, 0)
  }

  get logFile(): string {
    return this.#log.file
  }

  rotateLog(): void {
    this.#log.rotate()
  }

  status(): PodStatus {
    const { key, node, ip, identity, mesh } = this.plan.pod
    return {
      pod: key,
      node,
      ip,
      identity,
      mesh,
      ready: this.#isReady,
      containers: this.#runners.map((runner) => runner.status),
      listening: this.#host.mesh.listening(key),
      rewritten: this.#rewritten,
      log: this.#log.file,
    }
  }

  /** Resolves when its containers were started; being ready comes later. The pod must be in the mesh's snapshot. */
  async start(): Promise<void> {
    const { plan } = this
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(join(this.#folder, 'tmp'), { recursive: true, mode: 0o700 })
    this.#volumes = makeVolumes(plan.spec, join(this.#folder, 'volumes'), plan.context)
    await this.#host.mesh.addPod(plan.pod.key)
    for (const container of plan.init) await this.#runInit(container)
    if (this.#over.signal.aborted) return
    for (const container of plan.containers) this.#runners.push(this.#runner(container))
    for (const runner of this.#runners) runner.start()
  }

  /** Out of the Services first, then SIGTERM, then, after the pod's grace period, SIGKILL. */
  async stop(maxGraceMs = Number.POSITIVE_INFINITY): Promise<void> {
    this.#over.abort()
    for (const prober of this.#probers.values()) prober.stop()
    this.#setReady(false)
    const grace = Math.min((this.plan.spec.terminationGracePeriodSeconds ?? 30) * 1000, maxGraceMs)
    await Promise.all(this.#runners.map((runner) => runner.stop(grace)))
  }

  /** After `stop`: takes the pod out of the mesh. */
  async remove(): Promise<void> {
    await this.#host.mesh.removePod(this.plan.pod.key)
    this.#log.close()
  }

  /** What a program needs to run as this pod. */
  launch(
    container: PlannedContainer | undefined,
    argv: readonly [string, ...string[]],
    options?: { run?: string },
  ): Launch {
    const grant = this.#host.mesh.grant(this.plan.pod.key, options)
    const pointed = container === undefined ? undefined : pointToVolumes(container.env, container.spec, this.#volumes)
    const env = podEnv(this.#host.userEnv, this.#folder, this.plan.pod.name, pointed?.env ?? {}, grant.env)
    return { argv, cwd: this.#folder, env, over: () => grant.revoke() }
  }

  #runner(container: PlannedContainer): ContainerRunner {
    const { spec } = container
    this.#rewritten.push(...pointToVolumes(container.env, spec, this.#volumes).rewritten)
    this.#ready.set(spec.name, false)
    const runner: ContainerRunner = new ContainerRunner({
      name: spec.name,
      image: spec.image,
      restart: restartPolicy(this.plan),
      launch: () => this.launch(container, container.argv),
      output: this.#log.descriptor,
      processes: this.#host.processes,
      note: (text) => this.#log.note(text),
      changed: (phase) => {
        this.#probers.get(spec.name)?.stop()
        this.#setContainerReady(spec.name, false)
        if (phase === 'running' && !this.#over.signal.aborted) this.#probe(container, runner)
      },
    })
    return runner
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
      exec: () => (runner.status.pid === undefined ? undefined : this.launch(container, container.argv)),
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

  async #runInit(container: PlannedContainer): Promise<void> {
    const { descriptor } = this.#log
    const child = spawnTied(
      this.launch(container, container.argv),
      ['ignore', descriptor, descriptor],
      this.#host.processes,
    )
    const abort = () => child.kill('SIGKILL')
    this.#over.signal.addEventListener('abort', abort, { once: true })
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    this.#over.signal.removeEventListener('abort', abort)
    if (code !== 0 && !this.#over.signal.aborted) {
      throw new ClusterError(
        'not-ready',
        `the init container ${container.spec.name} of ${this.plan.pod.key} ended with ${signal ?? `exit code ${code}`}; its log is ${this.#log.file}`,
      )
    }
  }

  #setContainerReady(name: string, ready: boolean): void {
    this.#ready.set(name, ready)
    this.#setReady([...this.#ready.values()].every(Boolean))
  }

  #setReady(ready: boolean): void {
    if (ready !== this.#isReady) {
      this.#isReady = ready
      this.#host.mesh.setReady(this.plan.pod.key, ready)
    }
    this.#host.changed(this.plan.pod.key)
  }
}

function restartPolicy({ kind, spec }: PodPlan): 'Always' | 'OnFailure' | 'Never' {
  const { restartPolicy: policy } = spec as { readonly restartPolicy?: unknown }
  return kind === 'Pod' && (policy === 'OnFailure' || policy === 'Never') ? policy : 'Always'
}

/**
 * The environment of a pod's process: what the manifest says, what lets Node run, and the mesh's own variables. Of the
 * user's environment only PATH, the time zone and the language's name go along.
 */
export function podEnv(
  user: Readonly<Record<string, string | undefined>>,
  folder: string,
  podName: string,
  manifest: Readonly<Record<string, string>>,
  grant: Readonly<Record<string, string>>,
): Record<string, string> {
  const env: Record<string, string> = { HOME: folder, TMPDIR: join(folder, 'tmp'), HOSTNAME: podName }
  for (const name of ['PATH', 'TZ', 'LANG']) {
    const value = user[name]
    if (value !== undefined) env[name] = value
  }
  Object.assign(env, manifest, grant)
  const options = [grant.NODE_OPTIONS, manifest.NODE_OPTIONS].filter((value) => value !== undefined && value !== '')
  if (options.length > 0) env.NODE_OPTIONS = options.join(' ')
  return env
}
