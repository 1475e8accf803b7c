import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'

export interface MadeProcess {
  readonly cgroup: string
  readonly comm?: string
  readonly ppid?: number
  readonly startTime?: number
}

/** A line of `/proc/<pid>/stat`, with as many fields as the kernel writes. */
export const statLine = (pid: number, comm: string, ppid: number, startTime: number): string =>
  `${pid} (${comm}) S ${ppid} ${'0 '.repeat(17)}${startTime} ${'0 '.repeat(29)}0\n`

/** A folder that is laid out as /proc is, gone when the test ends. */
export function procTree(t: TestContext, processes: Readonly<Record<number, MadeProcess>>): string {
  const root = temporaryFolder(t)
  for (const [pid, process] of Object.entries(processes)) addProcess(root, Number(pid), process)
  return root
}

export function addProcess(
  root: string,
  pid: number,
  { cgroup, comm = 'app', ppid = 1, startTime = pid }: MadeProcess,
): void {
  const folder = join(root, String(pid))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cgroup'), `${cgroup}\n`)
  writeFileSync(join(folder, 'comm'), `${comm}\n`)
  writeFileSync(join(folder, 'stat'), statLine(pid, comm, ppid, startTime))
}
