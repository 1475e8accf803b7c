import type { CiliumHttpRule } from '@bulkhead/resources'
import { RE2JS } from 're2js'
import type { Payload } from '../types.js'

type Request = Extract<Payload, { readonly kind: 'http' }>

/** One item of `rules.http`: all that it names must match. */
export interface HttpMatcher {
  /** `GET /public`, as the rule writes it. */
  readonly text: string
  /** `unknown` where it depends on a header whose value is in a Secret. */
  matches(request: Request): boolean | 'unknown'
  readonly secret: boolean
}

/**
 * Method, path and host are RE2 expressions for the whole of it, the path with its query (semantics B.7). A
 * `headerMatches` that says what to do on a mismatch lets the request on.
 * @throws RE2JSSyntaxException for an expression that is not RE2
 */
export function httpMatcher(rule: CiliumHttpRule): HttpMatcher {
  const tests: ((request: Request) => boolean)[] = []
  const whole = (expression: string | undefined, of: (request: Request) => string): void => {
    if (expression === undefined || expression === '') return
    const compiled = RE2JS.compile(expression)
    tests.push((request) => compiled.matches(of(request)))
  }
  whole(rule.method, ({ method }) => method)
  whole(rule.path, ({ path }) => path)
  whole(rule.host, ({ host }) => host)
  for (const header of rule.headers ?? []) tests.push(headerTest(...namedValue(header)))
  const matches = (rule.headerMatches ?? []).filter(({ mismatch }) => mismatch === undefined)
  for (const { name, value, secret } of matches) {
    tests.push(headerTest(name, secret === undefined && value !== '' ? value : undefined))
  }
  const secret = matches.some((match) => match.secret !== undefined)
  const words = [rule.method ?? '', rule.host ?? '', rule.path ?? ''].filter((word) => word !== '')
  const headers = (rule.headers ?? []).concat(matches.map(({ name }) => name)).map((name) => `with ${name}`)
  return {
    secret,
    text: [...words, ...headers].join(' ') || 'any request',
    matches: (request) => tests.every((test) => test(request)) && (secret ? 'unknown' : true),
  }
}

/** `Name: value`, or a name alone: that it is there. */
function namedValue(header: string): readonly [name: string, value: string | undefined] {
  const colon = header.indexOf(':')
  const space = header.indexOf(' ')
  const end = colon === -1 ? space : colon
  if (end === -1) return [header, undefined]
  return [header.slice(0, end).trim(), header.slice(end + 1).trim()]
}

function headerTest(name: string, value: string | undefined): (request: Request) => boolean {
  const key = name.toLowerCase()
  return ({ headers, host }) => {
    const has = key === 'host' ? host : Object.hasOwn(headers, key) ? headers[key] : undefined
    return has !== undefined && (value === undefined || has === value)
  }
}
