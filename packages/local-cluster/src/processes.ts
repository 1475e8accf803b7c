import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Something that tells this run of a process id from any other process that may have the number later: its start time.
 * Undefined when there is no such process.
 */
export function processStamp(pid: number): string | undefined {
  try {
    // After the command's name, which may hold spaces and brackets, field 22 is the start in ticks since boot.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${bootId()}:${fields[19]}`
  } catch {
    if (process.platform === 'linux') return undefined
  }
  try {
    // One -o each: what follows a "=" would all be the first one's heading. The words of a date are the locale's.
    const [state = '', ...start] = execFileSync('ps', ['-o', 'state=', '-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    })
      .trim()
      .split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ')
  } catch {
    return undefined
  }
}

let boot: string | undefined
function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    boot = ''
  }
  return boot
}

export interface ProcessId {
  readonly pid: number
  readonly stamp: string
}

export const alive = ({ pid, stamp }: ProcessId): boolean => processStamp(pid) === stamp

/** Kills a process group whose leader we started. A group that is gone is no error. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: it is gone already.
  }
}

/** The processes that are running, on disk, so that the next `up` can end those that a dead supervisor left. */
export class ProcessList {
  readonly #file: string
  readonly #running = new Map<number, string>()

  constructor(file: string) {
    this.#file = file
  }

  add(pid: number): void {
    const stamp = processStamp(pid)
    if (stamp === undefined) return
    this.#running.set(pid, stamp)
    this.#write()
  }

  remove(pid: number): void {
    if (this.#running.delete(pid)) this.#write()
  }

  #write(): void {
    const list = [...this.#running].map(([pid, stamp]) => ({ pid, stamp }))
    try {
      writeFileSync(this.#file, JSON.stringify(list), { mode: 0o600 })
    } catch {
      // The list only helps to clear up after a supervisor that was killed; a full disk must not end one that lives.
    }
  }
}

/** Ends what a supervisor that is no more left running. Returns how many. */
export function killLeftovers(file: string): number {
  let list: unknown
  try {
    list = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
  const left = (Array.isArray(list) ? list : []).filter(
    (entry): entry is ProcessId =>
      typeof entry?.pid === 'number' && entry.pid > 1 && typeof entry.stamp === 'string' && alive(entry),
  )
  for (const { pid } of left) killGroup(pid)
  rmSync(file, { force: true })
  return left.length
}
