import type { NameAnswer } from '../api.js'
import type { ServiceModel } from '../types.js'

const clusterDomain = 'cluster.local'
/** A name with fewer dots is tried under the search domains first (resolv.conf of a pod: `options ndots:5`). */
const ndots = 5

/**
 * What a name means to a pod of that namespace, tried in the order in which its resolver asks. A trailing dot makes a
 * name absolute. Case does not matter.
 */
export function resolveName(name: string, namespace: string, services: ReadonlyMap<string, ServiceModel>): NameAnswer {
  const asked = name.toLowerCase()
  const absolute = asked.endsWith('.') ? asked.slice(0, -1) : asked
  const searched = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain].map(
    (domain) => `${absolute}.${domain}`,
  )
  const dots = absolute.split('.').length - 1
  const candidates = asked.endsWith('.') ? [absolute] : dots < ndots ? [...searched, absolute] : [absolute, ...searched]
  for (const candidate of candidates) {
    const service = serviceNamed(candidate, services)
    if (service !== undefined) return { kind: 'service', name: candidate, service }
    // The resolver stops at the first name that somebody answers for, and outside the cluster that may be this one.
    if (candidate === absolute && mayBeOutside(absolute)) return { kind: 'external', name: absolute }
  }
  return { kind: 'none', name: absolute }
}

/** `<service>.<namespace>.svc.cluster.local` */
function serviceNamed(name: string, services: ReadonlyMap<string, ServiceModel>): ServiceModel | undefined {
  const suffix = `.svc.${clusterDomain}`
  if (!name.endsWith(suffix)) return undefined
  const parts = name.slice(0, -suffix.length).split('.')
  return parts.length === 2 ? services.get(`${parts[1]}/${parts[0]}`) : undefined
}

/** Not a name of the cluster's, and not a single word: no top-level domain has an address. */
function mayBeOutside(name: string): boolean {
  return name.includes('.') && !name.endsWith(`.${clusterDomain}`) && !name.endsWith('.svc')
}
