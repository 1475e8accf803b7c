import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Place } from './place.js'

/** Somebody else is changing the cluster; the message says who. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
}

/**
 * Does something that nobody else may do to the cluster at the same time. Who was killed on the way holds nothing any more.
 * @throws LockedError
 */
export async function locked<T>({ lock }: Pick<Place, 'lock'>, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(lock), { recursive: true, mode: 0o700 })
  take(lock)
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock: string): void {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    const holder = holderOf(lock)
    if (holder !== undefined)
      throw new LockedError(
        `process ${holder} is changing the cluster already. Wait for it, or end it with Ctrl-C where it runs; if it is something else by now, delete "${lock}".`,
      )
    rmSync(lock, { force: true })
    take(lock)
  }
}

/** The process that holds it, if that still runs. */
function holderOf(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // Somebody else's process runs as well.
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return code === 'EPERM' ? Number(readFileSync(lock, 'utf8')) : undefined
  }
}
