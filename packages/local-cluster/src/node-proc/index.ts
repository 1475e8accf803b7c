import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { SeenPod } from '../seen-pod.js'
import { cgroupLine } from './cgroup.js'
import { asStarted, fromProc, type Processes, type Started } from './read.js'
import { ProcTree } from './tree.js'

/** How often is looked for processes that a container's own has started. */
const childrenEveryMs = 1000

/** Which of these looks reads all there is of each process; the others read two small files, and more where those changed. */
const wholeEvery = 10

/** Whose processes are laid out. */
export interface ProcSource {
  pods(): Iterable<SeenPod>
  /** Called whenever a container has started or ended. Returns the way to stop it. */
  onChange(listener: () => void): () => void
}

export interface NodeProcsOptions {
  /** A folder for the nodes'. */
  readonly folder: string
  /** For tests. Default: Linux' own /proc, and elsewhere what is known of what was started. */
  readonly processes?: Processes
  readonly childrenEveryMs?: number
}

/**
 * Each node's /proc, for pods that mount it from their host: the processes that stand for that node's containers, with the
 * numbers that they really have. A tree is laid out for the first pod that asks, and followed from then on.
 */
export class NodeProcs {
  readonly #folder: string
  readonly #processes: Processes
  readonly #trees = new Map<string, ProcTree>()
  readonly #every: number
  #source: ProcSource | undefined
  #ignore: () => void = () => undefined
  #looking: NodeJS.Immediate | undefined
  #looks = 0
  #children: NodeJS.Timeout | undefined

  constructor({ folder, processes, childrenEveryMs: every = childrenEveryMs }: NodeProcsOptions) {
    this.#folder = folder
    this.#processes = processes ?? (process.platform === 'linux' ? fromProc() : asStarted)
    this.#every = every
  }

  follow(source: ProcSource): void {
    this.#source = source
  }

  /** Where that node's /proc is. */
  of(node: string): string {
    const known = this.#trees.get(node)
    if (known !== undefined) return known.folder
    const tree = new ProcTree(join(this.#folder, node, 'proc'))
    this.#trees.set(node, tree)
    if (this.#children === undefined) {
      this.#ignore = this.#source?.onChange(() => this.#soon()) ?? this.#ignore
      this.#children = setInterval(() => this.#look(true), this.#every)
      this.#children.unref()
    }
    this.#soon()
    return tree.folder
  }

  close(): void {
    this.#ignore()
    clearImmediate(this.#looking)
    clearInterval(this.#children)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Changes come in heaps. */
  #soon(): void {
    this.#looking ??= setImmediate(() => this.#look(false))
  }

  /** Whoever looks for all finds what containers have started, too; nothing else tells of that. */
  #look(all: boolean): void {
    clearImmediate(this.#looking)
    this.#looking = undefined
    const whole = !all || this.#looks++ % wholeEvery === 0
    const living = new Set<number>()
    for (const { pod, plan, uid, containers } of this.#source?.pods() ?? []) {
      const tree = this.#trees.get(pod.node)
      if (tree === undefined) continue
      for (const { pid, id, argv = [] } of containers) {
        if (pid === undefined || id === undefined) continue
        const cgroup = cgroupLine(uid, id, plan.spec)
        const own: Started = { pid, parent: process.pid, argv }
        if (!all && tree.has(pid)) {
          living.add(pid)
          continue
        }
        const same = whole ? [] : this.#same(tree, pid)
        for (const one of same) living.add(one)
        for (const started of [own, ...same.flatMap((one) => this.#processes.children(one))]) {
          if (living.has(started.pid)) continue
          for (const one of [started, ...this.#processes.descendants(started.pid)])
            if (this.#put(tree, one, cgroup, pid)) living.add(one.pid)
        }
      }
    }
    for (const tree of this.#trees.values()) tree.keep((pid, owner) => living.has(all ? pid : owner))
  }

  /** Those of a container that are who they were. */
  #same(tree: ProcTree, owner: number): readonly number[] {
    return [...tree.of(owner)].flatMap(([pid, sign]) => (this.#processes.sign(pid) === sign ? [pid] : []))
  }

  #put(tree: ProcTree, started: Started, cgroup: string, owner: number): boolean {
    const sign = this.#processes.sign(started.pid)
    const files = sign === undefined ? undefined : this.#processes.files(started)
    if (sign === undefined || files === undefined) return false
    tree.put(started.pid, { ...files, cgroup }, { owner, sign })
    return true
  }
}
