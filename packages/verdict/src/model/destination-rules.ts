import type { Resource } from '@bulkhead/resources'
import { at, groupOf, namespaceOf, rawField } from './kinds.js'
import type { NotModelled } from './not-modelled.js'

/**
 * DestinationRules that say with which TLS a proxy calls a Service: a gateway under one need not speak HBONE. ztunnel does
 * not read them. By `namespace/name` of the Service, as far as a host names one.
 */
export function readDestinationRules(resources: readonly Resource[]): ReadonlyMap<string, NotModelled> {
  const byService = new Map<string, NotModelled>()
  for (const resource of resources) {
    if (resource.kind !== 'DestinationRule' || groupOf(resource.object) !== 'networking.istio.io') continue
    const spec = rawField(resource.object, 'spec')
    const policies = [rawField(spec, 'trafficPolicy'), ...subsetPolicies(rawField(spec, 'subsets'))]
    if (!policies.some(saysTls)) continue
    const host = String(rawField(spec, 'host') ?? '')
    const [name = '', namespace = namespaceOf(resource)] = host.split('.')
    const found = { id: resource.id, what: 'a DestinationRule with TLS of its own', at: at(resource) }
    byService.set(`${namespace}/${name}`, { effect: 'routes', ...found })
  }
  return byService
}

function subsetPolicies(subsets: unknown): unknown[] {
  return Array.isArray(subsets) ? subsets.map((subset) => rawField(subset, 'trafficPolicy')) : []
}

function saysTls(policy: unknown): boolean {
  const ports = rawField(policy, 'portLevelSettings')
  return [policy, ...(Array.isArray(ports) ? ports : [])].some((one) => rawField(one, 'tls') !== undefined)
}
