import type { HttpBackendRef, ReferenceGrant, Resource } from '@bulkhead/resources'
import { gatewayGroup, permits } from '@bulkhead/resources/gateway-api'
import { namespaceOf, ofKind } from '../model/kinds.js'
import type { ServiceModel } from '../types.js'
import { headerChange } from './headers.js'
import type { HeaderChange, RouteBackend } from './types.js'

/*
 * Where a rule sends requests. A reference that cannot be used keeps its weight, and what it would have taken is
 * answered 500. Source: HTTPRouteRule.backendRefs, HTTPBackendRef, ReferenceGrant.
 */

export interface BackendSources {
  readonly services: ReadonlyMap<string, ServiceModel>
  readonly grants: readonly Resource<ReferenceGrant>[]
}

export function backendSources(
  resources: readonly Resource[],
  services: ReadonlyMap<string, ServiceModel>,
): BackendSources {
  return { services, grants: ofKind<ReferenceGrant>(resources, gatewayGroup, 'ReferenceGrant') }
}

export function backendOf(ref: HttpBackendRef, namespace: string, sources: BackendSources): RouteBackend {
  const changes = (field: 'requestHeaderModifier' | 'responseHeaderModifier'): HeaderChange[] =>
    (ref.filters ?? []).flatMap((filter) => (filter[field] === undefined ? [] : [headerChange(filter[field])]))
  const invalid = mistake(ref, namespace, sources)
  return {
    service: `${ref.namespace ?? namespace}/${ref.name}`,
    port: ref.port ?? 0,
    weight: ref.weight ?? 1,
    ...(invalid !== undefined && { invalid }),
    requestHeaders: changes('requestHeaderModifier'),
    responseHeaders: changes('responseHeaderModifier'),
  }
}

/** What is wrong with it, as a sentence's end; in the order in which Istio asks. */
function mistake(
  { group = '', kind = 'Service', name, namespace, port }: HttpBackendRef,
  own: string,
  { services, grants }: BackendSources,
): string | undefined {
  const home = namespace ?? own
  const target = { group, kind, namespace: home, name }
  if (home !== own && !grants.some((grant) => permits(grant.object.spec, namespaceOf(grant), own, target)))
    return `no ReferenceGrant of ${home} lets an HTTPRoute of ${own} refer to the ${kind} ${name}`
  if (group !== '' || kind !== 'Service') return `a ${kind}${group === '' ? '' : ` of ${group}`} is no backend`
  const service = services.get(`${home}/${name}`)
  if (service === undefined) return `there is no Service ${home}/${name}`
  if (port === undefined) return `no port of the Service ${home}/${name} is named`
  const isThere = service.ports.some((candidate) => candidate.port === port && candidate.protocol === 'TCP')
  return isThere ? undefined : `the Service ${home}/${name} has no port ${port}`
}

/** The one that takes the most requests, and the first of equals. */
function heaviest(backends: readonly RouteBackend[]): RouteBackend | undefined {
  let found: RouteBackend | undefined
  for (const backend of backends) if (backend.weight > (found?.weight ?? 0)) found = backend
  return found
}

/** `shop/web-api:8080`; of several backends the heaviest, with its part: `shop/a:80 (9 of 10 requests)`. */
export function backendText(backends: readonly RouteBackend[]): string {
  const most = heaviest(backends)
  if (most === undefined) return 'nowhere'
  const name = `${most.service}:${most.port}`
  const sum = backends.reduce((total, { weight }) => total + weight, 0)
  if (most.weight === sum) return name
  const share = `${most.weight} of ${sum} requests`
  return most.invalid === undefined ? `${name} (${share})` : `${name} (${share}, answered 500: ${most.invalid})`
}
