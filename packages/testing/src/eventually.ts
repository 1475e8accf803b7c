import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/** The longest pause between two looks, in milliseconds. */
const PAUSE_MS = 20

/**
 * What `look` gives, as soon as it is neither false, null nor undefined. While it throws, it is asked again, too.
 * @param what is waited for, for the error
 * @param limitMs when to give up; long, since it is only for what never comes: a busy machine takes several times as long as an idle one
 * @throws Error when the time is over: with `what`, and what was last seen or thrown (its `cause`)
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = 30_000,
): Promise<Exclude<T, false | null | undefined>> {
  const began = performance.now()
  for (;;) {
    let last: string
    let cause: unknown
    try {
      const seen = await look()
      if (seen !== false && seen !== null && seen !== undefined) return seen as Exclude<T, false | null | undefined>
      last = `last seen: ${inspect(seen)}`
    } catch (error) {
      cause = error
      last = `last thrown: ${error instanceof Error ? error.message : inspect(error)}`
    }
    const passed = performance.now() - began
    if (passed >= limitMs) throw new Error(`not within ${limitMs} ms: ${what}; ${last}`, { cause })
    // What comes at once is seen at once, and what takes long costs little.
    await sleep(Math.min(PAUSE_MS, 1 + passed / 10, limitMs - passed))
  }
}
