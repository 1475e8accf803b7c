import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Backoff } from './backoff.js'
import { messageOf } from './errors.js'
import { killGroup, type ProcessList } from './processes.js'
import type { SeenContainer } from './seen-pod.js'

/** As NODE_OPTIONS wants it: a path may have spaces. */
const lifeline = `--require "${fileURLToPath(new URL('./lifeline.cjs', import.meta.url)).replace(/["\\]/g, '\\$&')}"`

/** What one run of a program as a pod needs; asked anew for each run, so that a secret lives as long as its process. */
export interface Launch {
  readonly argv: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Whose run it is that the program does something for, from now on. */
  readonly mark?: (run: string) => void
  /** Called when the process has ended. */
  readonly over: () => void
}

/**
 * Starts a program that ends with the supervisor: descriptor 3 is its lifeline, and it leads a group of its own, so
 * that a terminal's Ctrl-C reaches the supervisor alone and a kill reaches the program's own children too.
 */
export function spawnTied(
  launch: Launch,
  stdio: readonly ['ignore' | 'pipe', number | 'pipe', number | 'pipe'],
  processes: ProcessList,
): ChildProcess {
  const child = spawnOr(launch.over, launch.argv[0], launch.argv.slice(1), {
    cwd: launch.cwd,
    env: {
      ...launch.env,
      BULKHEAD_LIFELINE: '3',
      NODE_OPTIONS: `${lifeline} ${launch.env.NODE_OPTIONS ?? ''}`.trim(),
    },
    stdio: [...stdio, 'pipe'],
    detached: true,
  })
  const line = child.stdio[3] as Duplex | null | undefined
  line?.on('error', () => undefined)
  const { pid } = child
  if (pid !== undefined) processes.add(pid)
  child.once('exit', () => {
    // A container's processes end with its first one.
    if (pid !== undefined) {
      killGroup(pid)
      processes.remove(pid)
    }
    line?.destroy()
    launch.over()
  })
  child.once('error', () => {
    if (pid === undefined) launch.over()
  })
  return child
}

/** Some of what can go wrong with a start is thrown, and not told by an event. */
function spawnOr(over: () => void, ...args: Parameters<typeof spawn>): ChildProcess {
  try {
    return spawn(...args)
  } catch (error) {
    over()
    throw error
  }
}

/** How `lastExit` says that all was well. */
export const endedWell = 'exit code 0'

export type ContainerPhase = 'waiting' | 'running' | 'back-off' | 'ended'

export interface ContainerStatus {
  readonly name: string
  readonly image: string
  readonly phase: ContainerPhase
  readonly pid?: number
  readonly restarts: number
  /** How the last run ended: `exit code 1`, `exit code 1: its last words`, `killed by SIGKILL`, `ENOENT: ...`. */
  readonly lastExit?: string
}

export interface ContainerOptions {
  readonly name: string
  readonly image: string
  readonly restart: 'Always' | 'OnFailure' | 'Never'
  readonly launch: () => Launch
  readonly output: number
  readonly processes: ProcessList
  /** Says a line in the pod's log. */
  readonly note: (text: string) => void
  /** What it said at last, where its manifest wants that in its status. */
  readonly lastWords?: (() => string) | undefined
  /** Each time a process was started, or ended. */
  readonly changed: (phase: ContainerPhase) => void
}

/** One container: a process, started again as Kubernetes would when it ends. */
export class ContainerRunner {
  readonly #options: ContainerOptions
  readonly #backoff = new Backoff()
  #id: string | undefined
  #argv: readonly string[] = []
  #phase: ContainerPhase = 'waiting'
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #restarts = 0
  #lastExit: string | undefined
  #started: Date | undefined
  #endedAt: Date | undefined
  #stopping = false
  #exited = Promise.resolve()

  constructor(options: ContainerOptions) {
    this.#options = options
  }

  get status(): ContainerStatus {
    return {
      name: this.#options.name,
      image: this.#options.image,
      phase: this.#phase,
      ...(this.#child?.pid !== undefined && { pid: this.#child.pid }),
      restarts: this.#restarts,
      ...(this.#lastExit !== undefined && { lastExit: this.#lastExit }),
    }
  }

  /** The same, with the times of its last run. */
  get seen(): SeenContainer {
    return {
      ...this.status,
      ...(this.#id !== undefined && { id: this.#id, argv: this.#argv }),
      ...(this.#started !== undefined && { started: this.#started }),
      ...(this.#endedAt !== undefined && { ended: this.#endedAt }),
    }
  }

  start(): void {
    if (this.#stopping) return
    const { launch, output, processes } = this.#options
    const started = Date.now()
    this.#started = new Date(started)
    let child: ChildProcess
    try {
      const what = launch()
      this.#id = randomBytes(32).toString('hex')
      this.#argv = what.argv
      child = spawnTied(what, ['ignore', output, output], processes)
    } catch (error) {
      // Too long an environment, for one; it may be another one next time, and the other containers go on.
      this.#lastExit = messageOf(error)
      this.#ended(this.#lastExit, false, 0)
      return
    }
    this.#child = child
    this.#exited = new Promise((resolve) => {
      const ended = (how: string, ok: boolean) => {
        if (this.#child !== child) return
        this.#child = undefined
        this.#endedAt = new Date()
        const words = ok ? undefined : this.#options.lastWords?.()
        this.#lastExit = words ? `${how}: ${words}` : how
        resolve()
        this.#ended(how, ok, Date.now() - started)
      }
      child.once('exit', (code, signal) =>
        ended(signal === null ? (code === 0 ? endedWell : `exit code ${code}`) : `killed by ${signal}`, code === 0),
      )
      child.once('error', (error) => {
        if (child.pid === undefined) ended(error.message, false)
      })
    })
    this.#set('running')
  }

  /** Asks the process to end, and takes it down when `graceMs` is over. Resolves when it is gone; not started again. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    await this.#end(graceMs)
    this.#set('ended')
  }

  /** Ends the process so that it is started again (a liveness probe failed). */
  async restart(reason: string, graceMs: number): Promise<void> {
    this.#options.note(`${this.#options.name}: ${reason}; it is stopped and started again`)
    await this.#end(graceMs)
  }

  async #end(graceMs: number): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    const { pid } = child
    child.kill('SIGTERM')
    const timer = setTimeout(() => {
      this.#options.note(`${this.#options.name}: still running ${graceMs / 1000} s after SIGTERM; killed`)
      killGroup(pid)
    }, graceMs)
    await this.#exited
    clearTimeout(timer)
  }

  #ended(how: string, ok: boolean, ranMs: number): void {
    const { name, restart, note } = this.#options
    if (this.#stopping) return
    if (restart === 'Never' || (restart === 'OnFailure' && ok)) {
      note(`${name}: ended, ${how}`)
      this.#set('ended')
      return
    }
    const wait = this.#backoff.after(ranMs)
    note(
      `${name}: ended, ${how}; started again ${wait === 0 ? 'at once' : `in ${wait / 1000} s (${wait / 100} s on a cluster)`}`,
    )
    this.#restarts++
    this.#set(wait === 0 ? 'waiting' : 'back-off')
    this.#timer = setTimeout(() => this.start(), wait)
  }

  #set(phase: ContainerPhase): void {
    this.#phase = phase
    this.#options.changed(phase)
  }
}
