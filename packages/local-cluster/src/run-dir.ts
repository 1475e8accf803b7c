import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { alive, type ProcessId } from './processes.js'

const name = /^bh-[A-Za-z0-9]{6}$/
const ownerFile = 'owner.json'

/** Short: a unix socket's whole path may have 104 bytes on macOS, and the system's temporary folder can be deep. */
const socketRoot = (): string => (tmpdir().length <= 60 ? tmpdir() : '/tmp')

/** A private folder for the sockets. Those of owners that were killed, and whose state folder is gone too, are removed first. */
export function makeRunDir(owner: ProcessId, root: string = socketRoot()): string {
  for (const entry of readdirSync(root)) {
    const folder = join(root, entry)
    const former = name.test(entry) ? ownerOf(folder) : undefined
    if (former !== undefined && !alive(former)) removeRunDir(folder, root)
  }
  const runDir = mkdtempSync(join(root, 'bh-'))
  writeFileSync(join(runDir, ownerFile), JSON.stringify({ ...owner, host: hostname() }), { mode: 0o600 })
  return runDir
}

/** Only ever a folder that `makeRunDir` could have made: the path comes from a file. */
export function removeRunDir(runDir: string | undefined, root: string = socketRoot()): void {
  if (typeof runDir !== 'string' || dirname(runDir) !== root || !name.test(basename(runDir))) return
  try {
    if (statSync(runDir).uid === process.getuid?.()) rmSync(runDir, { recursive: true, force: true })
  } catch {
    // Gone already.
  }
}

/** Undefined where there is none that can be known here: the folder may be shared with another container. */
function ownerOf(runDir: string): ProcessId | undefined {
  try {
    const owner = JSON.parse(readFileSync(join(runDir, ownerFile), 'utf8')) as Partial<ProcessId & { host: unknown }>
    return owner.host === hostname() && typeof owner.pid === 'number' && typeof owner.stamp === 'string'
      ? { pid: owner.pid, stamp: owner.stamp }
      : undefined
  } catch {
    return undefined
  }
}
