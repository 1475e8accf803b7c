import type { Resource } from '@bulkhead/resources'
import { at, groupOf, rawField } from '../../model/kinds.js'
import type { Unread } from '../policy/judge.js'
import {
  arrange,
  authorizationPolicies,
  type IgnoredPolicy,
  isDryRun,
  type PodAuthorization,
  type PolicyModel,
  policyModel,
} from '../policy/policies.js'
import { compileHttpRule, type HttpContext } from './rules.js'
import type { HttpSubject } from './subject.js'

/** What holds for a proxy's requests, or for a part of them. */
export interface HttpAuthorization {
  readonly policies: PodAuthorization<HttpSubject>
  /** RequestAuthentications in force. */
  readonly requestAuthentications: readonly Resource[]
  /** An object that may change all of what the proxy does. */
  readonly altered: Unread | undefined
}

/** Kinds that put code or configuration of somebody's own into a proxy. */
const altering: Readonly<Record<string, string>> = {
  'networking.istio.io/EnvoyFilter': 'an EnvoyFilter',
  'extensions.istio.io/WasmPlugin': 'a WasmPlugin',
}

/** The policies among the objects in force, as the proxy's Envoy enforces them. */
export function httpAuthorization(
  inForce: readonly Resource[],
  proxy: Omit<HttpContext, 'requestAuthentications'>,
): HttpAuthorization {
  const requestAuthentications = inForce.filter(
    (resource) => kindOf(resource) === 'security.istio.io/RequestAuthentication',
  )
  const context: HttpContext = { ...proxy, requestAuthentications: requestAuthentications.map(({ id }) => id) }
  const enforced: PolicyModel<HttpSubject>[] = []
  const ignored: IgnoredPolicy[] = []
  for (const resource of authorizationPolicies(inForce)) {
    const { action = 'ALLOW', rules = [] } = resource.object.spec ?? {}
    if (isDryRun(resource)) ignored.push({ says: `${resource.id} (dry run)` })
    // Only writes a log.
    else if (action === 'AUDIT') ignored.push({ says: `${resource.id} (action ${action})` })
    else {
      const read = rules.map((rule, index) => compileHttpRule(resource, rule, index, context))
      enforced.push(policyModel(resource, action, read))
    }
  }
  return { policies: arrange(enforced, ignored), requestAuthentications, altered: alteration(inForce) }
}

function alteration(inForce: readonly Resource[]): Unread | undefined {
  for (const resource of inForce) {
    const what = altering[kindOf(resource)]
    if (what !== undefined) return { what, by: { layer: resource.layer, policy: resource.id, at: at(resource) } }
  }
  return undefined
}

function kindOf({ kind, object }: Resource): string {
  return `${groupOf(object)}/${kind}`
}

/** `file:line` and id of the first of these that reads a token of the request. */
export function tokenReader(
  requestAuthentications: readonly Resource[],
  { request }: HttpSubject,
): { readonly policy: string; readonly at: string; readonly layer: string | undefined } | undefined {
  const query = request.path.slice(request.path.indexOf('?') + 1)
  const found = requestAuthentications.find((resource) => {
    const rules = rawField(resource.object, 'spec', 'jwtRules')
    return (Array.isArray(rules) ? rules : []).some((rule) => {
      const headers = named(rawField(rule, 'fromHeaders'))
      const params = texts(rawField(rule, 'fromParams'))
      const cookies = texts(rawField(rule, 'fromCookies'))
      const anywhere = headers.length + params.length + cookies.length === 0
      return (
        (anywhere ? ['authorization'] : headers).some((name) => Object.hasOwn(request.headers, name)) ||
        (anywhere ? ['access_token'] : params).some((name) => query.includes(`${name}=`)) ||
        cookies.some((name) => request.headers.cookie?.includes(`${name}=`))
      )
    })
  })
  return found && { policy: found.id, at: at(found), layer: found.layer }
}

function named(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).map((entry) => String(rawField(entry, 'name')).toLowerCase())
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).map(String)
}
