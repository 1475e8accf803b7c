import type { Resource } from '@bulkhead/resources'
import { at, groupOf, namespaceOf, rawField } from './kinds.js'
import type { NotModelled } from './not-modelled.js'

/** What tells a gateway to call a Service otherwise than it would. */
export interface BackendTls {
  readonly found: readonly NotModelled[]
  /** By `namespace/name` of the Service. */
  of(service: string): NotModelled | undefined
}

/**
 * Objects that say with which TLS a proxy calls a Service: a gateway under one need not speak HBONE as itself. ztunnel
 * reads none of them.
 */
export function readBackendTls(resources: readonly Resource[]): BackendTls {
  const found: NotModelled[] = []
  const byService = new Map<string, NotModelled>()
  const wildcards: { readonly suffix: string; readonly by: NotModelled }[] = []
  for (const resource of resources) {
    const hosts = hostsWithTls(resource)
    if (hosts.length === 0) continue
    const what = `a ${resource.kind} with TLS of its own`
    const by: NotModelled = { effect: 'routes', id: resource.id, what, at: at(resource) }
    found.push(by)
    for (const host of hosts) {
      if (host.startsWith('*')) wildcards.push({ suffix: host.slice(1), by })
      else {
        const [name = '', namespace = namespaceOf(resource)] = host.split('.')
        byService.set(`${namespace}/${name}`, by)
      }
    }
  }
  return {
    found,
    of: (service) => {
      const [namespace = '', name = ''] = service.split('/')
      const host = `${name}.${namespace}.svc.cluster.local`
      return byService.get(service) ?? wildcards.find(({ suffix }) => host.endsWith(suffix))?.by
    },
  }
}

/** Names as a DestinationRule writes them: short ones are of its own namespace, `*.local` is every one with that end. */
function hostsWithTls(resource: Resource): string[] {
  const spec = rawField(resource.object, 'spec')
  switch (`${groupOf(resource.object)}/${resource.kind}`) {
    case 'networking.istio.io/DestinationRule': {
      const policies = [
        rawField(spec, 'trafficPolicy'),
        ...listOf(spec, 'subsets').map((one) => rawField(one, 'trafficPolicy')),
      ]
      return policies.some(saysTls) ? [String(rawField(spec, 'host') ?? '')] : []
    }
    case 'gateway.networking.k8s.io/BackendTLSPolicy':
      return listOf(spec, 'targetRefs').map((ref) => String(rawField(ref, 'name')))
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
