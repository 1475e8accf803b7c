/*
 * A request's path as Istio's proxies see it before anything is matched: normalisation BASE, the mesh's default. Source:
 * Istio's reference "Authorization Policy Normalization", and the canonicaliser of Envoy's `normalize_path`. What it does:
 * dot segments are resolved, a backslash becomes a slash, %-escapes of letters, digits, `-`, `.`, `_` and `~` are decoded,
 * once, and what has no place in a path (blanks, `"<>^`{|}`, whatever is not ASCII) is escaped. What it does not: escaped
 * slashes (%2F, %5C) stay escaped, and several slashes in a row stay several; a `;` is a letter like any other.
 */

export interface RequestPath {
  /** Normalised, without the query; begins with `/`. */
  readonly path: string
  /** With its `?`; empty when there is none. Never changed. */
  readonly query: string
}

/** What normalisation may change. A dot only matters at the start of a segment. */
const notPlain = /^[^/]|[%\\"<>^`{|}]|[^!-~]|\/\./
/** Escaped wherever it stands. */
const outOfPlace = /["<>^`{|}]|[^!-~]/gu

/** `undefined` for a path with an escaped or bare NUL, which Istio answers with 400. */
export function splitPath(target: string): RequestPath | undefined {
  // A fragment is never sent by a client that means well; what follows it is dropped.
  const hash = target.indexOf('#')
  const whole = hash === -1 ? target : target.slice(0, hash)
  const mark = whole.indexOf('?')
  const path = normalizePath(mark === -1 ? whole : whole.slice(0, mark))
  return path === undefined ? undefined : { path, query: mark === -1 ? '' : whole.slice(mark) }
}

/** Of a path without its query. `undefined` as in splitPath. */
export function normalizePath(path: string): string | undefined {
  if (path !== '' && !notPlain.test(path)) return path
  const decoded = decode(path).replaceAll('\\', '/')
  if (decoded.includes('\0')) return undefined
  return resolveDots(decoded.startsWith('/') ? decoded : `/${decoded}`).replace(outOfPlace, escaped)
}

/** A byte as it came over the wire; a letter beyond that, which only a person can have written, as its bytes in UTF-8. */
function escaped(letter: string): string {
  const code = letter.charCodeAt(0)
  if (code <= 0xff) return `%${code.toString(16).toUpperCase().padStart(2, '0')}`
  const bytes = new TextEncoder().encode(letter)
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase()}`).join('')
}

const unreserved = /^[A-Za-z0-9\-._~]$/

/** One pass. A `%` that begins no escape, and whose rest would read as one after the pass, is escaped itself. */
function decode(path: string): string {
  const loose = '\u{F0000}'
  const text = path.replace(/%([0-9A-Fa-f]{2})?/g, (written: string, hex: string | undefined) => {
    if (hex === undefined) return loose
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return character === '\0' || unreserved.test(character) ? character : written
  })
  return text.includes(loose)
    ? text.replace(/\u{F0000}([0-9A-Fa-f]{2})?/gu, (_, hex: string | undefined) =>
        hex === undefined ? '%' : `%25${hex}`,
      )
    : text
}

/** RFC 3986, 5.2.4, except that an empty segment is a segment: `/a//../b` is `/a/b`. */
function resolveDots(path: string): string {
  const kept: string[] = []
  const segments = path.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else {
      if (segment === '..') kept.pop()
      if (index === segments.length - 1) kept.push('')
    }
  }
  return `/${kept.join('/')}`
}
