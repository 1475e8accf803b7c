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
}

/** From Linux' own /proc. */
export function fromProc(root = '/proc'): Processes {
  const read = (pid: number, file: string) => readFileSync(join(root, String(pid), file), 'utf8')
  const childrenOf = (pid: number): readonly number[] => {
    try {
      return readdirSync(join(root, String(pid), 'task')).flatMap((task) =>
        read(pid, join('task', task, 'children'))
          .split(' ')
          .flatMap((child) => (child.trim() === '' ? [] : [Number(child)])),
      )
    } catch {
      // It has ended, or this kernel does not tell of children.
      return []
    }
  }
  const descendants = (pid: number): readonly Started[] =>
    childrenOf(pid).flatMap((child) => [{ pid: child, parent: pid, argv: [] }, ...descendants(child)])
  return {
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
    descendants,
  }
}

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
}
