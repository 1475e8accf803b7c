import type { Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import { at, groupOf, namespaceOf, rawField } from '../../model/kinds.js'
import type { Pod } from '../../types.js'
import { compileHttpRule, type HttpContext } from '../http/rules.js'
import type { HttpSubject } from '../http/subject.js'
import type { Unread } from '../policy/judge.js'
import {
  arrange,
  authorizationPolicies,
  type IgnoredPolicy,
  inReach,
  isDryRun,
  type PodAuthorization,
  type PolicyModel,
  policyModel,
  type TargetRef,
  targetsOf,
} from '../policy/policies.js'

/** What holds for one gateway's requests. */
export interface GatewayAuthorization {
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

/** A gateway's pod, and what the annotations of its template say. */
export interface GatewayPlace {
  readonly namespace: string
  /** The Gateway's own name. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** The policies that a gateway's Envoy enforces (C.4, last column). */
export function gatewayAuthorization(
  resources: readonly Resource[],
  rootNamespace: string,
  gateway: GatewayPlace,
): GatewayAuthorization {
  const inForce = resources.filter((resource) => applies(resource, rootNamespace, gateway))
  const requestAuthentications = inForce.filter(
    (resource) => kindOf(resource) === 'security.istio.io/RequestAuthentication',
  )
  const context: HttpContext = {
    requestAuthentications: requestAuthentications.map(({ id }) => id),
    topology: /gatewayTopology/.test(gateway.annotations['proxy.istio.io/config'] ?? ''),
  }
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

/**
 * With targetRefs: one of them is this Gateway, in the policy's own namespace. Without: the selector takes the gateway's
 * pod, or there is none; in its namespace or in the root (C.4).
 */
function applies(resource: Resource, rootNamespace: string, { namespace, name, labels }: GatewayPlace): boolean {
  const targets = targetsOf(resource)
  if (targets.length > 0) {
    const own = namespaceOf(resource)
    return own === namespace && targets.some((target) => isGateway(target, namespace) && target.name === name)
  }
  // An EnvoyFilter has another word for it.
  const selector =
    rawField(resource.object, 'spec', 'selector', 'matchLabels') ??
    rawField(resource.object, 'spec', 'workloadSelector', 'labels') ??
    {}
  return inReach(resource, namespace, rootNamespace) && labelsMatch(selector as GatewayPlace['labels'], labels)
}

/** A reference to another namespace is not supported, and is to nothing. */
function isGateway({ group, kind, namespace }: TargetRef, own: string): boolean {
  return kind === 'Gateway' && group === 'gateway.networking.k8s.io' && (namespace ?? own) === own
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

/** Where a pod is a gateway's, its Gateway's own name. */
export function gatewayName({ gateway = '' }: Pod): string {
  return gateway.slice(gateway.indexOf('/') + 1)
}
