import type { Resource } from '@bulkhead/resources'
import { type Block, parseAddress, parseBlock } from './addresses.js'
import { groupOf, namespaceOf, rawField } from './kinds.js'

/** What an object that is not modelled takes for itself: whoever calls it meets something that we cannot say. */
export interface Claims {
  /** Lower case; `*.example.org` for all names below. */
  readonly hosts: readonly string[]
  readonly blocks: readonly Block[]
  /** `namespace/name` */
  readonly services: readonly string[]
  /** Only ztunnel knows of it: callers outside the mesh go past. */
  readonly meshOnly: boolean
}

export interface Called {
  readonly host?: string
  readonly ip?: string
  readonly service?: string
}

/** Undefined for an object that is not about single names, addresses or Services. */
export function claimsOf(resource: Resource): Claims | undefined {
  const { object } = resource
  const field = (...path: readonly string[]): unknown => rawField(object, 'spec', ...path)
  switch (`${groupOf(object)}/${resource.kind}`) {
    // Its traffic may be bound to a waypoint that authorizes (C.8).
    case 'networking.istio.io/ServiceEntry':
      return {
        hosts: texts(field('hosts')).map((host) => host.toLowerCase()),
        blocks: blocks(texts(field('addresses'))),
        services: [],
        meshOnly: true,
      }
    case 'cilium.io/CiliumLocalRedirectPolicy': {
      const service = serviceKey(resource, field('redirectFrontend', 'serviceMatcher'), 'serviceName')
      const address = blocks(texts([field('redirectFrontend', 'addressMatcher', 'ip')]))
      return { hosts: [], blocks: address, services: service, meshOnly: false }
    }
    case 'cilium.io/CiliumEnvoyConfig':
    case 'cilium.io/CiliumClusterwideEnvoyConfig': {
      const listed = field('services')
      const services = (Array.isArray(listed) ? listed : []).flatMap((entry) => serviceKey(resource, entry, 'name'))
      return { hosts: [], blocks: [], services, meshOnly: false }
    }
    case '/Service': {
      const external = blocks(texts(field('externalIPs')))
      return external.length === 0 ? undefined : { hosts: [], blocks: external, services: [], meshOnly: false }
    }
    default:
      return undefined
  }
}

/** Whether it speaks for what is called. */
export function claimed(
  { hosts, blocks: ranges, services, meshOnly }: Claims,
  called: Called,
  byMesh: boolean,
): boolean {
  if (meshOnly && !byMesh) return false
  const { host, ip, service } = called
  const address = ip === undefined ? undefined : parseAddress(ip)
  return (
    (service !== undefined && services.includes(service)) ||
    (host !== undefined && hosts.some((pattern) => hostMatches(pattern, host))) ||
    (address !== undefined && ranges.some((block) => block.contains(address)))
  )
}

function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern
}

function serviceKey(resource: Resource, reference: unknown, nameField: string): string[] {
  const name = rawField(reference, nameField)
  const namespace = rawField(reference, 'namespace')
  if (typeof name !== 'string') return []
  return [`${typeof namespace === 'string' ? namespace : namespaceOf(resource)}/${name}`]
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []
}

function blocks(list: readonly string[]): Block[] {
  return list.flatMap((text) => parseBlock(text) ?? [])
}
