/*
 * How the page writes lists: one thing a line. What stands there is taken apart and no more; whether it holds is for the
 * service to say.
 */

type Json = { readonly [key: string]: unknown }

const linesOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

/** `GET,HEAD /api/* /health`: methods, then paths; either may be missing. */
function requestsOf(words: readonly string[]): Json {
  const paths = words.filter((word) => word.startsWith('/'))
  const methods = words.filter((word) => !word.startsWith('/')).flatMap((word) => word.split(','))
  return { ...(methods.length > 0 && { methods }), ...(paths.length > 0 && { paths }) }
}

/** `shop/sleep`, or `shop/sleep GET,HEAD /api/*`. */
export function callersOf(text: string): readonly unknown[] {
  return linesOf(text).map((line) => {
    const [who = '', ...words] = line.split(/\s+/)
    if (words.length === 0) return who
    const [namespace = '', name = ''] = who.split('/', 2)
    return { namespace, name, ...requestsOf(words) }
  })
}

/** `demo/postgres:5432`, or `shop/web-api:8080 via waypoint GET /`. */
export function callsOf(text: string): readonly unknown[] {
  return linesOf(text).map((line) => {
    const [whom = '', ...words] = line.split(/\s+/)
    if (words.length === 0) return whom
    const [, namespace = whom, name = '', port = ''] = /^([^/]*)\/(.*):([^:]*)$/.exec(whom) ?? []
    const [via, waypoint] = words
    const rest = via === 'via' ? words.slice(2) : words
    return {
      namespace,
      name,
      port: numberOf(port),
      ...(via === 'via' && { waypoint: waypoint ?? '' }),
      ...requestsOf(rest),
    }
  })
}

/** `NAME=value`. */
export function variablesOf(text: string): readonly unknown[] {
  // A value may begin or end with a space: only what is before the name is dropped.
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const at = line.indexOf('=')
      return at < 0 ? { name: line.trim() } : { name: line.slice(0, at).trim(), value: line.slice(at + 1) }
    })
}

/** What the field holds, as a number where it is one: the service tells of what is not. */
export const numberOf = (text: string): unknown => (/^\d+$/.test(text.trim()) ? Number(text) : text.trim())

export interface Fields {
  readonly [name: string]: string | boolean
}

/** The description that the form's fields make; what is empty is left out. */
export function descriptionOf(fields: Fields): Json {
  const text = (name: string): string => String(fields[name] ?? '').trim()
  const callers = callersOf(text('callers'))
  const calls = callsOf(text('calls'))
  const hosts = linesOf(text('hosts'))
  const args = linesOf(text('args'))
  const env = variablesOf(String(fields.env ?? ''))
  return {
    name: text('name'),
    namespace: text('namespace'),
    image: text('image'),
    ...(fields.newNamespace === true && { newNamespace: true }),
    ...(text('port') !== '' && { port: numberOf(text('port')) }),
    ...(text('replicas') !== '' && { replicas: numberOf(text('replicas')) }),
    ...(text('waypoint') !== '' && { waypoint: text('waypoint') }),
    ...(callers.length > 0 && { callers }),
    ...(calls.length > 0 && { calls }),
    ...(hosts.length > 0 && { hosts }),
    ...(args.length > 0 && { args }),
    ...(env.length > 0 && { env }),
  }
}

/** The field of the form that `callers[0].namespace` is in. */
export const fieldOf = (path: string): string => /^[A-Za-z]+/.exec(path)?.[0] ?? ''
