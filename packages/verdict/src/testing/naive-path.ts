/*
 * Test code: what an Envoy of Istio's makes of a request's target before its policies see it, when nobody has told it
 * otherwise: normalisation BASE. Dot segments are taken out, a backslash is a slash, and of what is escaped only letters,
 * digits, `-`, `.`, `_` and `~` are read. No slash is decoded, none merged. Written from Envoy's canonicaliser.
 */

/** Null for a target that no proxy takes. With its query as it is; what follows a `#` is cut off. */
export function naivePath(target: string): string | null {
  if (target[0] !== '/') return null
  for (const character of target) if (character <= ' ' || character === '\x7f') return null
  const [written = ''] = target.split('#')
  const question = written.indexOf('?')
  const path = question === -1 ? written : written.slice(0, question)
  const query = question === -1 ? '' : written.slice(question)
  if (path.includes('%00')) return null

  const segments = path.replaceAll('\\', '/').slice(1).split('/').map(readable)
  const kept: string[] = []
  segments.forEach((segment, index) => {
    if (segment === '..') kept.pop()
    if (segment !== '..' && segment !== '.') kept.push(segment)
    else if (index === segments.length - 1) kept.push('')
  })
  return `/${kept.join('/')}${query}`
}

function readable(segment: string): string {
  return segment
    .replace(/%[0-9a-fA-F]{2}/g, (escaped) => {
      const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
      return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped
    })
    .replace(/["<>^`{|}]/g, (raw) => `%${raw.charCodeAt(0).toString(16).toUpperCase()}`)
}
