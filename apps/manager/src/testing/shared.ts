import { cleanUp, type Scope, wholeSuite } from '@bulkhead/testing'
import { startManager, type TestManager } from './manager.js'

/** One manager for all tests of a file that do not mind each other's users and roles: a start costs as much as a hundred requests. */
export const sharedManager = (): (() => Promise<TestManager>) => shared(startManager)

/** What is started for the first test that asks, is there for all others of the file, and goes with the last of them. */
export function shared<T>(start: (suite: Scope) => Promise<T>): () => Promise<T> {
  const suite = wholeSuite()
  let started: Promise<T> | undefined
  return () => {
    if (started !== undefined) return started
    const begun = start(suite)
    cleanUp(suite, () => begun.catch(() => undefined))
    started = begun
    return begun
  }
}
