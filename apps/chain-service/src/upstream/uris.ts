import { settings } from '@bulkhead/service-kit'

/** One entry of UPSTREAM_URIS. */
export interface Upstream {
  /** As written: the answer repeats it verbatim. */
  readonly uri: string
  readonly origin: string
  /** The part of the path that comes before the caller's. */
  readonly path: string
  readonly query: string
}

/** @throws RangeError naming the entry that is no URL, or not one of HTTP */
export function readUpstreams(value: string): readonly Upstream[] {
  return settings.splitList(value).map((uri) => {
    if (!/^https?:\/\//.test(uri)) {
      throw new RangeError(
        `${JSON.stringify(uri)} begins with neither http:// nor https://; gRPC upstreams are not supported`,
      )
    }
    if (!URL.canParse(uri)) throw new RangeError(`${JSON.stringify(uri)} is not a URL`)
    const url = new URL(uri)
    if (url.username !== '' || url.password !== '') throw new RangeError('an upstream takes no user name or password')
    // A URL object has "/" where the text has nothing, and then "//" would come of it.
    const path = /^https?:\/\/[^/?#]*\//.test(uri) ? url.pathname : ''
    return { uri, origin: url.origin, path, query: url.search }
  })
}

/** The path of the call, and the URL as error texts quote it. The caller's path and query go behind the upstream's own. */
export function target(upstream: Upstream, requestUrl: string, append: boolean): { path: string; url: string } {
  let { path, query } = upstream
  if (append) {
    const own = originForm(requestUrl)
    const mark = own.indexOf('?')
    path = path.replace(/\/$/, '') + (mark === -1 ? own : own.slice(0, mark))
    if (mark !== -1 && mark < own.length - 1) query += (query === '' ? '?' : '&') + own.slice(mark + 1)
  }
  return { path: (path === '' ? '/' : path) + query, url: upstream.origin + path + query }
}

/** A request line may also hold a whole URL (as to a proxy), or `*`. */
function originForm(requestUrl: string): string {
  if (requestUrl.startsWith('/')) return requestUrl
  if (!URL.canParse(requestUrl)) return ''
  const { pathname, search } = new URL(requestUrl)
  return pathname + search
}
