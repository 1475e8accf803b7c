/*
 * Host names of listeners, routes and requests. Patterns are as Gateway API writes them: a name, `*.` and a name (one or
 * more labels before it), or nothing at all, which is written `*` here. Source: the descriptions of Listener.hostname and
 * HTTPRouteSpec.hostnames.
 */

/**
 * A request's Host as patterns are compared with it: in lower case and without its port. A dot at its end stays: Istio does
 * not have Envoy take it off (`strip_trailing_host_dot`), so `shop.example.` is no name of a route's. A policy that denies
 * `shop.example` does not match it either, and would be passed by.
 */
export function hostName(host: string): string {
  // The brackets of an IPv6 address hold colons that begin no port.
  const colon = host.lastIndexOf(':')
  return (colon > host.lastIndexOf(']') ? host.slice(0, colon) : host).toLowerCase()
}

export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === '*') return true
  if (!pattern.startsWith('*.')) return pattern === host
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
}

/** Most specific first: a name before any wildcard, a longer wildcard before a shorter one, `*` last. */
export function compareHosts(a: string, b: string): number {
  return rank(a) - rank(b) || b.length - a.length || (a < b ? -1 : a > b ? 1 : 0)
}

const rank = (pattern: string): number => (pattern === '*' ? 2 : pattern.startsWith('*.') ? 1 : 0)

/** What stands behind each pattern, found by host in the order of compareHosts. */
export class HostTable<T> {
  readonly #exact = new Map<string, T>()
  /** By what follows the star: `.example.org`. */
  readonly #wildcards = new Map<string, T>()
  #any: T | undefined

  set(pattern: string, value: T): void {
    if (pattern === '*') this.#any = value
    else if (pattern.startsWith('*.')) this.#wildcards.set(pattern.slice(1), value)
    else this.#exact.set(pattern, value)
  }

  find(host: string): T | undefined {
    const exact = this.#exact.get(host)
    if (exact !== undefined) return exact
    if (this.#wildcards.size > 0) {
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const found = this.#wildcards.get(host.slice(dot))
        if (found !== undefined) return found
      }
    }
    return this.#any
  }
}
