import { madeByControllers } from '../../../controllers.js'
import type { Review } from '../../../types.js'
import { NotModelled } from '../limits.js'
import { QueryError } from '../variables/interpreter.js'

/*
 * `urlPath` of a call to the API server, answered from the objects of the set: one object, or a list of a kind.
 */

interface Asked {
  readonly apiVersion: string
  readonly namespace: string
  readonly resource: string
  readonly name?: string
}

/** undefined: there is no such object. */
export function answerOf(urlPath: string, review: Review, policyNamespace: string | undefined): unknown {
  const asked = parse(urlPath)
  if (asked === undefined) throw new NotModelled(`a call to ${urlPath}, which the objects at hand do not answer`)
  const { apiVersion, namespace, resource, name } = asked
  if (policyNamespace !== undefined && namespace !== policyNamespace)
    throw new QueryError(
      namespace === ''
        ? `path ${urlPath} does not contain a namespace segment, which is required for namespaced policies`
        : `path ${urlPath} refers to namespace ${namespace}, which is different from the policy namespace ${policyNamespace}`,
    )
  const found = name === undefined ? undefined : review.get(apiVersion, resource, namespace, name)
  if (found !== undefined) return found
  const unwritten = madeByControllers(apiVersion, resource)
  if (unwritten !== undefined) throw new NotModelled(unwritten)
  if (name !== undefined) return undefined
  const items = review.list(apiVersion, resource, namespace)
  return { apiVersion, kind: 'List', metadata: { resourceVersion: '' }, items }
}

function parse(urlPath: string): Asked | undefined {
  if (urlPath.includes('?')) return undefined
  const parts = urlPath.split('/').filter((part) => part !== '')
  const [root, first = '', second = ''] = parts
  const [apiVersion, rest] =
    root === 'api' ? [first, parts.slice(2)] : root === 'apis' ? [`${first}/${second}`, parts.slice(3)] : ['', []]
  if (rest.length === 0) return undefined
  const inside = rest[0] === 'namespaces' && rest.length > 2
  const namespace = inside ? (rest[1] ?? '') : ''
  const [resource, name, ...more] = inside ? rest.slice(2) : rest
  if (resource === undefined || more.length > 0) return undefined
  return { apiVersion, namespace, resource, ...(name !== undefined && { name }) }
}
