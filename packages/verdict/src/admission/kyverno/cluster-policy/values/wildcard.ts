/*
 * Kyverno's wildcards: `*` is any text, also none, `?` exactly one character; the whole text has to fit.
 */

/** Never looks at a character of the text more often than the pattern has stars, whatever the pattern. */
export function wildcardMatches(pattern: string, text: string): boolean {
  if (pattern === '*') return true
  if (!hasWildcard(pattern)) return pattern === text
  const [wanted, given] = [characters(pattern), characters(text)]
  let [at, to] = [0, 0]
  let [star, retry] = [-1, 0]
  while (at < given.length) {
    if (to < wanted.length && wanted[to] === '*') {
      star = to++
      retry = at
    } else if (to < wanted.length && (wanted[to] === '?' || wanted[to] === given[at])) {
      to++
      at++
    } else if (star >= 0) {
      to = star + 1
      at = ++retry
    } else return false
  }
  while (to < wanted.length && wanted[to] === '*') to++
  return to === wanted.length
}

export function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('?')
}

/** A character outside the basic plane is one, and not two. */
function characters(text: string): string | readonly string[] {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text
}
