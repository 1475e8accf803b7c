import { CelError } from '../errors.js'
import { define } from '../registry.js'
import { CelValue } from '../values.js'

/* Kubernetes' URL library: an absolute URI or an absolute path, in parts as Go's net/url has them. */

const TYPE = 'kubernetes.URL'

/** RFC 3986, appendix B. */
const syntax = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

export class UrlValue extends CelValue {
  readonly type = TYPE
  readonly text: string
  readonly scheme: string
  /** With its port. */
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(text: string) {
    super()
    const [, scheme = '', authority = '', path = '', query = ''] = syntax.exec(text) ?? []
    const absolute = scheme !== '' || path.startsWith('/')
    const spaced = /[^!-~]|[<>]/.test(authority + scheme)
    if (!absolute || text.length > 10_000 || spaced || /[\n\r\t]/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(path)) {
      throw new CelError(
        `URL parse error during conversion from string: parse ${JSON.stringify(text.slice(0, 200))}: invalid URI for request`,
      )
    }
    this.text = text
    this.scheme = scheme.toLowerCase()
    this.host = authority.slice(authority.lastIndexOf('@') + 1)
    this.path = path
    this.query = query
  }
  override equals(other: CelValue): boolean {
    return other instanceof UrlValue && other.text === this.text
  }
}

define('url', ['string'], 'opaque', ([text]) => new UrlValue(text))
define('isURL', ['string'], 'bool', ([text]) => {
  try {
    return new UrlValue(text).type === TYPE
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
})

function part(name: string, read: (url: UrlValue) => string): void {
  define(name, [TYPE], 'string', ([url]) => read(url as UrlValue))
}
part('.getScheme', ({ scheme }) => scheme)
part('.getHost', ({ host }) => host)
part('.getHostname', ({ host }) => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'))
part('.getPort', ({ host }) => /:(\d+)$/.exec(host)?.[1] ?? '')
part('.getEscapedPath', ({ path }) => path)
define('.getQuery', [TYPE], 'map', ([url]) => {
  const query = new Map<unknown, string[]>()
  for (const [name, value] of new URLSearchParams((url as UrlValue).query)) {
    query.set(name, [...(query.get(name) ?? []), value])
  }
  return query
})
