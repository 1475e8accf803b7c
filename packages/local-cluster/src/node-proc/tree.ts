import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../errors.js'
import type { ProcessFiles } from './read.js'

export interface Entry extends ProcessFiles {
  readonly cgroup: string
}

interface Written {
  readonly content: string
  /** Of whose container it is: the number of that container's first process. */
  readonly owner: number
  /** Who it was when it was read. */
  readonly sign: string
}

/** A node's /proc, as far as it is laid out: a folder for each process. An entry is there whole, or not at all. */
export class ProcTree {
  readonly folder: string
  readonly #written = new Map<number, Written>()
  #drafts = 0

  constructor(folder: string) {
    this.folder = folder
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  has(pid: number): boolean {
    return this.#written.has(pid)
  }

  /** Those of a container, and who each was when it was read. */
  *of(owner: number): Iterable<readonly [pid: number, sign: string]> {
    for (const [pid, written] of this.#written) if (written.owner === owner) yield [pid, written.sign]
  }

  /** Writes it, unless it says what is there already. */
  put(pid: number, entry: Entry, { owner, sign }: Pick<Written, 'owner' | 'sign'>): void {
    const content = identityOf(entry)
    const before = this.#written.get(pid)
    if (before?.content === content) {
      this.#written.set(pid, { content, owner, sign })
      return
    }
    const draft = join(this.folder, `.${++this.#drafts}`)
    unlessGone(() => {
      mkdirSync(draft, { mode: 0o700 })
      for (const [name, text] of Object.entries(entry)) writeFileSync(join(draft, name), text, { mode: 0o400 })
      if (before !== undefined) this.remove(pid)
      renameSync(draft, join(this.folder, String(pid)))
      this.#written.set(pid, { content, owner, sign })
    })
  }

  remove(pid: number): void {
    if (!this.#written.delete(pid)) return
    const gone = join(this.folder, `.${++this.#drafts}`)
    unlessGone(() => {
      renameSync(join(this.folder, String(pid)), gone)
      rmSync(gone, { recursive: true, force: true })
    })
  }

  /** Takes away those of whom that is not so. */
  keep(holds: (pid: number, owner: number) => boolean): void {
    for (const [pid, { owner }] of [...this.#written]) if (!holds(pid, owner)) this.remove(pid)
  }
}

/** The state folder is its owner's to delete, also while it is used: what is not there any more nobody reads. */
function unlessGone(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}

/** Times and counters go on and on, and are as they were when the entry was written. */
function identityOf({ comm, cmdline, stat, cgroup }: Entry): string {
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
  return JSON.stringify([comm, cmdline, parent, cgroup])
}
