import type { HttpPathModifier, HttpRequestRedirect } from '@bulkhead/resources'
import type { RequestPath } from './path.js'

/** A path's new form. `prefix` is what the rule's PathPrefix matched, without a slash at its end. */
export type PathChange = (path: string, prefix: string) => string

export function pathChange(modifier: HttpPathModifier): PathChange {
  if (modifier.type === 'ReplaceFullPath') {
    const full = absolute(modifier.replaceFullPath)
    return () => full
  }
  const replacement = modifier.replacePrefixMatch
  return (path, prefix) => replacePrefix(path, prefix, replacement)
}

const absolute = (path: string): string => (path.startsWith('/') ? path : `/${path}`)

/**
 * The table of HTTPPathModifier.replacePrefixMatch: whole elements are replaced, a slash at the end of the prefix or of
 * the replacement counts for nothing, and what is left over is never empty.
 */
function replacePrefix(path: string, prefix: string, replacement: string): string {
  const rest = path.slice(prefix.length)
  const start = replacement.endsWith('/') ? replacement.slice(0, -1) : replacement
  return absolute(start === '' ? rest : absolute(start) + (rest === '' || rest.startsWith('/') ? rest : `/${rest}`))
}

/**
 * Where a redirect leads. Source: HTTPRequestRedirectFilter. What the filter leaves out is the request's own; a port that
 * it leaves out is that of its scheme if it names one, else the listener's; a port that the scheme implies is not written.
 */
export class Redirect {
  readonly #scheme: 'http' | 'https'
  readonly #hostname: string | undefined
  readonly #port: string
  readonly #path: PathChange | undefined
  /** A replacement that brings a query of its own takes the place of the request's. */
  readonly #ownQuery: boolean

  constructor(filter: HttpRequestRedirect, listenerPort: number) {
    this.#scheme = filter.scheme ?? 'http'
    this.#hostname = filter.hostname
    const port = filter.port ?? (filter.scheme === undefined ? listenerPort : undefined)
    const implied = this.#scheme === 'http' ? 80 : 443
    this.#port = port === undefined || port === implied ? '' : `:${port}`
    this.#path = filter.path === undefined ? undefined : pathChange(filter.path)
    this.#ownQuery = filter.path?.type === 'ReplaceFullPath' && filter.path.replaceFullPath.includes('?')
  }

  /** `host` is the request's name, without its port. */
  location(host: string, { path, query }: RequestPath, prefix: string): string {
    const changed = this.#path === undefined ? path : this.#path(path, prefix)
    return `${this.#scheme}://${this.#hostname ?? host}${this.#port}${changed}${this.#ownQuery ? '' : query}`
  }
}
