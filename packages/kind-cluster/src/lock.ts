import { AsyncLocalStorage } from 'node:async_hooks'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Place } from './place.js'

/** Somebody else is at work on the cluster; the message says who. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
}

/** What is done within these has the lock already. */
const held = new AsyncLocalStorage<string>()

/**
 * Does something that nobody else may do to the cluster at the same time. Who was killed on the way holds nothing any more. What a holder
 * does within it may ask for it again, and so may a process that the holder has started.
 * @throws LockedError; Error where its folder cannot be written, or the file system has no links, by which it is taken
 */
export async function locked<T>({ lock }: Pick<Place, 'lock'>, work: () => Promise<T>): Promise<T> {
  if (held.getStore() === lock) return work()
  writing(lock, () => mkdirSync(dirname(lock), { recursive: true, mode: 0o700 }))
  if (holderOf(lock) === process.ppid) return held.run(lock, work)
  take(lock)
  try {
    return await held.run(lock, work)
  } finally {
    // With the folder it may have gone, and be somebody else's by now.
    if (pidIn(lock) === process.pid) rmSync(lock, { force: true })
  }
}

/** A folder in which nothing can be kept is found out here first. */
function writing(lock: string, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    throw new Error(
      `"${dirname(lock)}" cannot be written (${error instanceof Error ? error.message : error}). Make it writable, or name another: a cluster's with --state DIR, a bundle's by its file.`,
    )
  }
}

/** It comes to be with its holder in it, so that nobody finds one that is nobody's yet. */
function take(lock: string): void {
  const draft = `${lock}.${process.pid}`
  writing(lock, () => writeFileSync(draft, String(process.pid), { mode: 0o600 }))
  try {
    while (!linked(draft, lock)) {
      refuseIfHeld(lock, lock)
      takeAway(lock, draft)
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

function refuseIfHeld(lock: string, file: string): void {
  const holder = holderOf(file)
  if (holder === undefined) return
  throw new LockedError(
    `process ${holder} is at it already: what changes or attacks the cluster, or makes a bundle, does so alone. Wait for it, or end it with Ctrl-C where it runs; if it is something else by now, delete "${lock}".`,
  )
}

function linked(draft: string, lock: string): boolean {
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    if (!withoutLinks.some((code) => isCode(error, code))) throw error
    throw new Error(
      `"${dirname(lock)}" is on a file system that has no links, as FAT and exFAT of memory sticks are (${error instanceof Error ? error.message : error}). Name a folder on a disk of this machine's own, and copy what is to go elsewhere.`,
    )
  }
}

/** What the systems say where a file cannot have a second name. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** What a dead process has left goes, by one hand at a time: the second would take away what the first has taken by then. */
function takeAway(lock: string, draft: string): void {
  const guard = `${lock}.away`
  if (!linked(draft, guard)) {
    refuseIfHeld(lock, guard)
    rmSync(guard, { force: true })
    return
  }
  try {
    if (holderOf(lock) === undefined) rmSync(lock, { force: true })
  } finally {
    rmSync(guard, { force: true })
  }
}

/** The process that holds it, if that still runs. */
function holderOf(lock: string): number | undefined {
  const pid = pidIn(lock)
  if (pid === undefined) return undefined
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // Somebody else's process runs as well.
    return isCode(error, 'EPERM') ? pid : undefined
  }
}

function pidIn(lock: string): number | undefined {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code
