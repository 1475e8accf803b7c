import { setTimeout as sleep } from 'node:timers/promises'

/** The work, or an error that names it once the time is over. */
export async function withDeadline(work: Promise<unknown>, ms: number, name: string): Promise<void> {
  const timer = new AbortController()
  try {
    await Promise.race([
      work,
      sleep(ms, undefined, { signal: timer.signal }).then(() => {
        throw new Error(`${name} did not close within ${Math.round(ms)} ms`)
      }),
    ])
  } finally {
    timer.abort()
  }
}
