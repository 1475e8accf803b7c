import type { Review } from '../types.js'
import type { StaticType } from './registry.js'

/* What expressions of admission policies see: `object`, `oldObject`, `request`, `namespaceObject`. */

export const admissionRoots: ReadonlyMap<string, StaticType> = new Map([
  ['object', 'dyn'],
  ['oldObject', 'dyn'],
  ['request', 'dyn'],
  ['namespaceObject', 'dyn'],
])

const known = new WeakMap<Review, ReadonlyMap<string, unknown>>()

/** Made once for a request, whichever policies look at it. */
export function rootsOf(review: Review): ReadonlyMap<string, unknown> {
  const made = known.get(review)
  if (made !== undefined) return made
  const { request, object, oldObject, namespaceObject } = review
  const deletes = request.operation === 'DELETE'
  const roots = new Map<string, unknown>([
    ['object', deletes ? null : object],
    ['oldObject', deletes ? object : oldObject],
    ['request', requestOf(review)],
    ['namespaceObject', namespaceObject],
  ])
  known.set(review, roots)
  return roots
}

/** The AdmissionRequest, as far as it is known: fields without a value are left out, as in its JSON. */
function requestOf({ request, object, oldObject, resource, namespace }: Review): Readonly<Record<string, unknown>> {
  const apiVersion = typeof object.apiVersion === 'string' ? object.apiVersion : ''
  const slash = apiVersion.indexOf('/')
  const [group, version] = slash === -1 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
  const kind = { group, version, kind: request.object.kind }
  const plural = { group, version, resource }
  const { username, groups, uid } = request.user
  // A Namespace's requests name it as their namespace too.
  const where = resource === 'namespaces' && group === '' ? request.object.name : namespace
  const deletes = request.operation === 'DELETE'
  return {
    kind,
    resource: plural,
    ...(request.subResource !== undefined && { subResource: request.subResource }),
    requestKind: kind,
    requestResource: plural,
    name: request.object.name,
    ...(where !== undefined && { namespace: where }),
    operation: request.operation,
    userInfo: { username, ...(uid !== undefined && { uid }), groups },
    ...(!deletes && { object }),
    ...(deletes ? { oldObject: object } : oldObject !== null && { oldObject }),
    dryRun: false,
  }
}
