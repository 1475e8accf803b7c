import type { HttpNamedMatch, HttpRouteMatch } from '@bulkhead/resources'
import { RE2JS } from 're2js'
import { queryValue } from './query.js'
import type { HttpRequest } from './types.js'

/*
 * One entry of a rule's `matches`: all that it names must match (HTTPRouteMatch). Regular expressions are RE2 and must
 * match the whole of the path, the header or the parameter, as Envoy's safe_regex does.
 */

interface NamedTest {
  readonly name: string
  readonly test: (value: string) => boolean
}

export class RequestMatch {
  readonly path: PathTest
  readonly method: string | undefined
  readonly headers: readonly NamedTest[]
  readonly query: readonly NamedTest[]

  /** @throws RE2JSSyntaxException for an expression that is not RE2 */
  constructor({ path, method, headers = [], queryParams = [] }: HttpRouteMatch) {
    this.path = pathTest(path?.type ?? 'PathPrefix', path?.value ?? '/')
    this.method = method
    this.headers = namedTests(headers, (name) => name.toLowerCase())
    this.query = namedTests(queryParams, (name) => name)
  }

  matches(request: HttpRequest, path: string, query: string): boolean {
    if (!this.path.test(path) || (this.method !== undefined && this.method !== request.method)) return false
    for (const { name, test } of this.headers) {
      // Envoy knows the Host header as the authority.
      const value = name === 'host' ? request.host : own(request.headers, name)
      if (value === undefined || !test(value)) return false
    }
    for (const { name, test } of this.query) {
      const value = queryValue(query, name)
      if (value === undefined || !test(value)) return false
    }
    return true
  }
}

function own(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined
}

export interface PathTest {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'
  /** A prefix without the slash at its end, so that `/` is empty; else as written. */
  readonly value: string
  readonly test: (path: string) => boolean
}

function pathTest(type: PathTest['type'], written: string): PathTest {
  switch (type) {
    case 'Exact':
      return { type, value: written, test: (path) => path === written }
    case 'PathPrefix': {
      const value = written.endsWith('/') ? written.slice(0, -1) : written
      if (value === '') return { type, value, test: () => true }
      // By elements: what follows the prefix is nothing, or begins with a slash.
      const { length } = value
      return {
        type,
        value,
        test: (path) => path.startsWith(value) && (path.length === length || path.charCodeAt(length) === 0x2f),
      }
    }
    case 'RegularExpression':
      return { type, value: written, test: wholeMatch(written) }
  }
}

/** Of several tests for one name the first counts, the others are ignored (HTTPHeaderMatch, HTTPQueryParamMatch). */
function namedTests(entries: readonly HttpNamedMatch[], key: (name: string) => string): NamedTest[] {
  const found = new Map<string, NamedTest>()
  for (const { name: written, type, value } of entries) {
    const name = key(written)
    if (!found.has(name)) found.set(name, { name, test: valueTest(type ?? 'Exact', value) })
  }
  return [...found.values()]
}

function valueTest(type: 'Exact' | 'RegularExpression', wanted: string): (value: string) => boolean {
  if (type === 'Exact') return (value) => value === wanted
  // Not RE2, and Istio reads it as "is there" (translateHeaderMatch).
  if (wanted === '*') return () => true
  return wholeMatch(wanted)
}

function wholeMatch(expression: string): (value: string) => boolean {
  const compiled = RE2JS.compile(expression)
  return (value) => compiled.testExact(value)
}
