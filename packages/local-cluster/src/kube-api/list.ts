import { fieldSelector, labelSelector, type Matches } from './selectors.js'
import { badRequest, continueExpired, notFound, tooNew, tooOld } from './status.js'
import type { Page, Store } from './store.js'
import type { ResourceRequest, Served, Stored } from './types.js'

export const kinds: Readonly<Record<Served, 'Pod' | 'Node'>> = { pods: 'Pod', nodes: 'Node' }

/** Which objects a list or a watch is of. @throws ApiStatus 400 */
export function selection({ resource, namespace, name }: ResourceRequest, query: URLSearchParams): Matches {
  const labels = labelSelector(query.get('labelSelector') ?? '')
  const fields = fieldSelector(query.get('fieldSelector') ?? '', kinds[resource as Served])
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    labels(object) &&
    fields(object)
}

export function readOne(store: Store, { resource, namespace, name = '' }: ResourceRequest): string {
  const found = store.get(resource as Served, namespace === undefined ? name : `${namespace}/${name}`)
  if (found === undefined) throw notFound(resource, name)
  return found.json
}

/** A whole number of a query; undefined where it is not there. @throws ApiStatus 400 */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  const number = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(number))
    throw badRequest(`invalid ${name} ${JSON.stringify(text.slice(0, 100))}: it must be a whole number, 0 or more`)
  return number
}

interface Continued {
  readonly version: number
  /** Key of the last object that was given. */
  readonly after: string
}

const writeContinue = (continued: Continued): string =>
  Buffer.from(JSON.stringify({ v: 'bulkhead/v1', rv: continued.version, start: continued.after })).toString('base64url')

function readContinue(text: string): Continued {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>
    if (v === 'bulkhead/v1' && typeof rv === 'number' && typeof start === 'string') return { version: rv, after: start }
  } catch {
    // Said below.
  }
  throw badRequest('continue key is not valid: it is none that this server has given')
}

/**
 * A list as JSON: all of it, or `limit` objects and a token for the rest, which is of the same version.
 *
 * @throws ApiStatus 400, 410, 504
 */
export function readList(store: Store, request: ResourceRequest, query: URLSearchParams): string {
  const resource = request.resource as Served
  const matches = selection(request, query)
  const limit = numberOf(query, 'limit') ?? 0
  const token = query.get('continue') ?? ''
  const continued = token === '' ? undefined : readContinue(token)
  const page = continued === undefined ? pageAt(store, resource, query) : store.kept(resource, continued.version)
  if (page === undefined) throw continueExpired()
  const left = page.items.filter(({ key, object }) => key > (continued?.after ?? '') && matches(object))
  const given = limit === 0 ? left : left.slice(0, limit)
  const more = left.length > given.length ? given.at(-1) : undefined
  if (more !== undefined) store.keep(resource, page)
  return listJson(resource, page.version, given, {
    ...(more !== undefined && {
      continue: writeContinue({ version: page.version, after: more.key }),
      // With a selector Kubernetes does not count, and so does not say.
      ...(!query.has('labelSelector') &&
        !query.has('fieldSelector') && { remainingItemCount: left.length - given.length }),
    }),
  })
}

function listJson(resource: Served, version: number, items: readonly Stored[], more: object): string {
  const metadata = JSON.stringify({ resourceVersion: String(version), ...more })
  return `{"kind":"${kinds[resource]}List","apiVersion":"v1","metadata":${metadata},"items":[${items.map(({ json }) => json).join(',')}]}`
}

/** There is only now: a version that is asked for must be this one (`Exact`), or not later. */
function pageAt(store: Store, resource: Served, query: URLSearchParams): Page {
  const asked = numberOf(query, 'resourceVersion') ?? 0
  const match = query.get('resourceVersionMatch') ?? ''
  if (!['', 'Exact', 'NotOlderThan'].includes(match))
    throw badRequest(`invalid resourceVersionMatch ${JSON.stringify(match.slice(0, 100))}: it is Exact or NotOlderThan`)
  if (match !== '' && query.get('resourceVersion') === null)
    throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (asked > store.version) throw tooNew(asked, store.version)
  if (match === 'Exact' && asked !== store.version) {
    const kept = store.kept(resource, asked)
    if (kept === undefined) throw tooOld(asked, store.version)
    return kept
  }
  return store.page(resource)
}
