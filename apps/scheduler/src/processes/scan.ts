import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { readCgroup } from './cgroup.js'
import { readShort } from './read-file.js'
import type { NodeProcesses, PodProcess } from './source.js'
import { readStat } from './stat.js'

/**
 * How long processes are read before others have their turn, in ms. These files are the kernel's memory: reading one takes microseconds,
 * and handing it to another thread five times as long.
 */
const TURN_MS = 2

/** Linux has no higher number (PID_MAX_LIMIT). */
const PID = /^[1-9]\d{0,6}$/

/** A process that ended while it was looked at. */
const GONE = new Set(['ENOENT', 'ESRCH', 'ENOTDIR', 'ELOOP'])

/**
 * Reads a folder as procfs is one: for each process its cgroup, and of those that are in a pod `comm` and `stat`.
 * @param root `/proc`, or where the node's is mounted
 * @throws Error when the folder cannot be read
 */
export async function scanProcesses(root: string, now: () => number = Date.now): Promise<NodeProcesses> {
  const at = now()
  const entries = await readdir(root, { withFileTypes: true })
  // A process is a folder; a link of its name, or of another, leads nowhere.
  const pids = entries.filter((entry) => entry.isDirectory() && PID.test(entry.name)).map(({ name }) => name)
  const found = new Map<string, PodProcess[]>()
  let denied = 0
  let turn = performance.now()
  for (const pid of pids) {
    if (performance.now() - turn > TURN_MS) {
      await setImmediate()
      turn = performance.now()
    }
    try {
      const one = readProcess(root, pid)
      if (one === undefined) continue
      const known = found.get(one.podUid)
      if (known === undefined) found.set(one.podUid, [one.process])
      else known.push(one.process)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (!GONE.has(code)) denied++
    }
  }
  const uids = [...found.keys()].sort()
  const pods = new Map(uids.map((uid) => [uid, (found.get(uid) ?? []).sort((a, b) => a.pid - b.pid)]))
  return { at, pods, denied }
}

function readProcess(root: string, pid: string): { podUid: string; process: PodProcess } | undefined {
  const folder = join(root, pid)
  const placement = readCgroup(readShort(join(folder, 'cgroup')))
  if (placement === undefined) return undefined
  const command = readShort(join(folder, 'comm')).replace(/\n$/, '')
  const stat = readStat(readShort(join(folder, 'stat')))
  if (stat === undefined) return undefined
  const { podUid, ...container } = placement
  return { podUid, process: { pid: Number(pid), command, ...stat, ...container } }
}
