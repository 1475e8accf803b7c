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
    const last: { seen?: unknown; thrown?: unknown } = {}
    try {
      const seen = await look()
      if (seen !== false && seen !== null && seen !== undefined) return seen as Exclude<T, false | null | undefined>
      last.seen = seen
    } catch (error) {
      last.thrown = error
    }
    const passed = performance.now() - began
    if (passed >= limitMs) {
      const { seen, thrown: cause } = last
      const words = cause instanceof Error ? cause.message : inspect(cause)
      const said = 'thrown' in last ? `last thrown: ${words}` : `last seen: ${inspect(seen)}`
      throw new Error(`not within ${limitMs} ms: ${what}; ${said}`, { cause })
    }
    // What comes at once is seen at once, and what takes long costs little.
    await sleep(Math.min(PAUSE_MS, 2 + passed / 10, limitMs - passed))
  }
}
