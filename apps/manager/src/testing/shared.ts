import { after } from 'node:test'
import { startManager, type TestManager } from './manager.js'

/** One manager for all tests of a file that do not mind each other's users and roles: a start costs as much as a hundred requests. */
export function sharedManager(): () => Promise<TestManager> {
  const cleanups: (() => unknown)[] = []
  let started: Promise<TestManager> | undefined
  after(async () => {
    await started?.catch(() => {})
    for (const cleanup of cleanups) await cleanup()
  })
  return () => {
    started ??= startManager({ after: (cleanup) => void (cleanup && cleanups.push(cleanup as () => unknown)) })
    return started
  }
}
