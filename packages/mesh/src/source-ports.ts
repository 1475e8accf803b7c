/** The range that Linux takes source ports from. */
const FIRST = 32_768
const LAST = 60_999

/** One source port after another, and the first again after the last. */
export function sourcePorts(): () => number {
  let port = FIRST - 1
  return () => {
    port = port === LAST ? FIRST : port + 1
    return port
  }
}
