/** How often is looked. */
export const LOOK_MS = 50
/** Whoever has said nothing for as many looks (0.4 s) does not wait at the end of its connection. */
export const QUIET_LOOKS = 8

/**
 * Looks again and again, until `over` says that it is; returns the way to stop that. What has waited for so many looks has
 * waited in time in which this process ran: one that stands still takes a single look when it goes on, and that after it has
 * read what has come meanwhile. By the clock it would take what it has not read for what was never said.
 */
export function look(over: () => boolean): () => void {
  let timer: NodeJS.Timeout | undefined
  let after: NodeJS.Immediate | undefined
  const again = () => {
    timer = setTimeout(() => {
      after = setImmediate(() => over() || again())
      after.unref()
    }, LOOK_MS).unref()
  }
  again()
  return () => {
    clearTimeout(timer)
    clearImmediate(after)
  }
}
