import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What a process' folder in a node's /proc holds, but for its cgroup. */
export interface ProcessFiles {
  readonly comm: string
  readonly cmdline: string
  readonly stat: string
  readonly status: string
}

/** The process of a container, as it was started. */
export interface Started {
  readonly pid: number
  readonly parent: number
  readonly argv: readonly string[]
}

/** What tells of the processes of this machine. */
export interface Processes {
  /** Undefined when there is no such process any more. */
  files(started: Started): ProcessFiles | undefined
  /** Its children, and theirs. */
  descendants(pid: number): readonly Started[]
  /** The children of its first thread, which mostly are all: one file, however many threads there are. */
  children(pid: number): readonly Started[]
  /** Who it is, by one file: another one when it has another name, parent or time of start. Undefined when it is not there. */
  sign(pid: number): string | undefined
}

/** From Linux' own /proc. */
export function fromProc(root = '/proc'): Processes {
  const read = (pid: number, file: string) => readFileSync(join(root, String(pid), file), 'utf8')
  const childrenOf = (pid: number, threadsOf: () => readonly string[]): readonly Started[] => {
    try {
      return threadsOf().flatMap((thread) =>
        read(pid, `task/${thread}/children`)
          .split(' ')
          .flatMap((child) => (child.trim() === '' ? [] : [{ pid: Number(child), parent: pid, argv: [] }])),
      )
    } catch {
      // It has ended, or this kernel does not tell of children.
      return []
    }
  }
  const descendants = (pid: number): readonly Started[] =>
    childrenOf(pid, () => readdirSync(join(root, String(pid), 'task'))).flatMap((child) => [
      child,
      ...descendants(child.pid),
    ])
  return {
    descendants,
    children: (pid) => childrenOf(pid, () => [String(pid)]),
    sign(pid) {
      try {
        return signOf(read(pid, 'stat'))
      } catch {
        return undefined
      }
    },
    files({ pid }) {
      try {
        const [comm, cmdline, stat, status] = ['comm', 'cmdline', 'stat', 'status'].map((file) => read(pid, file))
        if (comm === undefined || cmdline === undefined || stat === undefined || status === undefined) return undefined
        // Ended, and not yet waited for.
        return /^State:\s+[ZX]/m.test(status) ? undefined : { comm, cmdline, stat, status }
      } catch {
        return undefined
      }
    },
  }
}

/** proc_pid_stat(5). What has ended and is not yet waited for is not there. */
function signOf(stat: string): string | undefined {
  const end = stat.lastIndexOf(')')
  const [state, parent, ...rest] = stat.slice(end + 2).split(' ')
  return state === 'Z' || state === 'X' ? undefined : `${stat.slice(0, end)} ${parent} ${rest[startTime]}`
}

/** Its place behind the parent's. */
const startTime = 17

/** The longest name that Linux keeps of a program. */
const commLength = 15

/** Where nobody tells (macOS): what is known of a process by whoever started it. */
export const asStarted: Processes = {
  files({ pid, parent, argv }) {
    const comm = basename(argv[0] ?? 'node').slice(0, commLength)
    // proc_pid_stat(5): 52 fields, of which what is not known is 0.
    const rest = Array.from({ length: 48 }, () => '0').join(' ')
    return {
      comm: `${comm}\n`,
      cmdline: argv.map((arg) => `${arg}\0`).join(''),
      stat: `${pid} (${comm}) S ${parent} ${rest}\n`,
      status: `Name:\t${comm}\nState:\tS (sleeping)\nTgid:\t${pid}\nPid:\t${pid}\nPPid:\t${parent}\n`,
    }
  },
  descendants: () => [],
  children: () => [],
  sign: String,
}
