import { fieldRequirements } from './selectors.js'
import { badRequest } from './status.js'
import type { RequestAttributes, ResourceRequest } from './types.js'

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** A path that was split with care: `%2F` in a part is no slash, and what cannot be decoded is refused. */
function partsOf(path: string): readonly string[] {
  try {
    return path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent)
  } catch {
    throw badRequest(`the path ${JSON.stringify(path.slice(0, 200))} is not well escaped`)
  }
}

/**
 * What a request asks, as it is authorised: Kubernetes' rules for reading a method, a path and a query (request attributes;
 * a GET is a list or a watch when it names nothing).
 *
 * @throws ApiStatus 400
 */
export function readRequest(method: string, path: string, query: URLSearchParams): RequestAttributes {
  const [root, ...rest] = partsOf(path)
  const api = root === 'api' ? { group: '', parts: rest } : { group: rest[0], parts: rest.slice(1) }
  const [version, ...parts] = api.parts
  const asPath: RequestAttributes = { kind: 'path', verb: method.toLowerCase(), path }
  if ((root !== 'api' && root !== 'apis') || api.group === undefined || version === undefined) return asPath
  // The old form of a watch has a word of its own in its path.
  const old = parts[0] === 'watch' ? 'watch' : undefined
  if (old !== undefined) parts.shift()
  const found = readResource(parts)
  if (found === undefined) return asPath
  const verb = verbOf(old ?? VERBS[method] ?? method.toLowerCase(), found.name, query)
  return { kind: 'resource', verb, group: api.group, version, ...withName(found, query, verb) }
}

type Found = Pick<ResourceRequest, 'resource' | 'subresource' | 'namespace' | 'name'>

function readResource(parts: readonly string[]): Found | undefined {
  const [first, second, third, fourth, ...more] = parts
  if (first === undefined) return undefined
  // `namespaces/x` is a namespace, `namespaces/x/pods` something in it.
  if (
    first === 'namespaces' &&
    second !== undefined &&
    third !== undefined &&
    !['status', 'finalize'].includes(third)
  ) {
    return { ...whole(third, fourth, more[0]), namespace: second }
  }
  return {
    ...whole(first, second, third),
    ...(first === 'namespaces' && second !== undefined && { namespace: second }),
  }
}

const whole = (resource: string, name: string | undefined, subresource: string | undefined): Found => ({
  resource,
  ...(name !== undefined && { name }),
  ...(subresource !== undefined && { subresource }),
})

/** Of a list of one object by its name, the name is known: a rule with resourceNames may allow it. */
function withName(found: Found, query: URLSearchParams, verb: string): Found {
  if (found.name !== undefined || (verb !== 'list' && verb !== 'watch')) return found
  const name = fieldRequirements(query.get('fieldSelector') ?? '').find(
    ({ field, equal }) => field === 'metadata.name' && equal,
  )?.value
  return name === undefined || name === '' ? found : { ...found, name }
}

function verbOf(verb: string, name: string | undefined, query: URLSearchParams): string {
  if (verb === 'delete' && name === undefined) return 'deletecollection'
  if (verb !== 'get') return verb
  if (isTrue(query.get('watch'))) return 'watch'
  return name === undefined ? 'list' : 'get'
}

/** As Kubernetes reads a switch in a query: there, and not said to be off. */
export const isTrue = (value: string | null): boolean => value !== null && value !== 'false' && value !== '0'
