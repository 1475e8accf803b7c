import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUp, type Scope } from './clean-up.js'

/**
 * A new folder below the system's temporary one, gone when `t` ends: after all that was to be cleaned up later than this call, so that whoever writes in it is
 * over by then. One that cannot be removed is told on stderr and fails no test.
 *
 * Its name is short, since a unix socket's whole path may have 104 bytes on macOS, and has a space, as anybody's temporary folder may have one.
 */
export const temporaryFolder = (t: Scope): string => made(t, 'bh t-')

/** The same with a name that needs no quotes in a shell, for tests that hold whole lines of what is to be typed. */
export const plainFolder = (t: Scope): string => made(t, 'bh-t-')

function made(t: Scope, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name))
  cleanUp(t, async () => {
    try {
      // A process that was ended this moment may leave one file more.
      await rm(folder, { recursive: true, force: true, maxRetries: 8, retryDelay: 50 })
    } catch (error) {
      process.stderr.write(`a test's folder is left: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  })
  return folder
}
