/*
 * Versions as tools tell them: with or without a v, with words around them and a suffix behind.
 */

/** The first version in a text, as `major.minor.patch`; a patch that is not told is 0. */
export function versionIn(text: string): string | undefined {
  const found = /(?<![\d.])v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  return found === null ? undefined : `${found[1]}.${found[2]}.${found[3] ?? '0'}`
}

const parts = (version: string): readonly number[] => version.split('.').map(Number)

/** Below 0 when `a` is older than `b`. Both as `versionIn` gives them. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)]
  for (const at of [0, 1, 2]) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** How many minor versions `a` is ahead of `b`; across major versions it is more than any skew allows. */
export function minorsAhead(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)]
  if (left[0] !== right[0]) return compareVersions(a, b) > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return (left[1] ?? 0) - (right[1] ?? 0)
}
