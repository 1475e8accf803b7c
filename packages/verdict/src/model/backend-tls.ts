import type { Resource } from '@bulkhead/resources'
import { at, groupOf, namespaceOf, rawField } from './kinds.js'
import type { NotModelled } from './not-modelled.js'

/**
 * Objects that say with which TLS a proxy calls a Service: a gateway under one need not speak HBONE as itself. ztunnel
 * reads none of them. By `namespace/name` of the Service.
 */
export function readBackendTls(resources: readonly Resource[]): ReadonlyMap<string, NotModelled> {
  const byService = new Map<string, NotModelled>()
  for (const resource of resources) {
    for (const service of servicesWithTls(resource)) {
      const what = `a ${resource.kind} with TLS of its own`
      byService.set(service, { effect: 'routes', id: resource.id, what, at: at(resource) })
    }
  }
  return byService
}

function servicesWithTls(resource: Resource): string[] {
  const spec = rawField(resource.object, 'spec')
  switch (`${groupOf(resource.object)}/${resource.kind}`) {
    case 'networking.istio.io/DestinationRule': {
      const policies = [
        rawField(spec, 'trafficPolicy'),
        ...listOf(spec, 'subsets').map((one) => rawField(one, 'trafficPolicy')),
      ]
      if (!policies.some(saysTls)) return []
      const [name = '', namespace = namespaceOf(resource)] = String(rawField(spec, 'host') ?? '').split('.')
      return [`${namespace}/${name}`]
    }
    case 'gateway.networking.k8s.io/BackendTLSPolicy':
      return listOf(spec, 'targetRefs').map((ref) => `${namespaceOf(resource)}/${String(rawField(ref, 'name'))}`)
    default:
      return []
  }
}

function listOf(value: unknown, field: string): unknown[] {
  const list = rawField(value, field)
  return Array.isArray(list) ? list : []
}

function saysTls(policy: unknown): boolean {
  return [policy, ...listOf(policy, 'portLevelSettings')].some((one) => rawField(one, 'tls') !== undefined)
}
