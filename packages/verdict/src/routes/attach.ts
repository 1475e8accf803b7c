import type { Gateway, GatewayListener, HttpRoute, ParentReference, Resource } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { namespaceOf } from '../model/kinds.js'
import { intersectHosts } from './hosts.js'

/*
 * Which routes a listener has. Source: CommonRouteSpec.parentRefs, AllowedRoutes, Listener.hostname.
 */

export const gatewayGroup = 'gateway.networking.k8s.io'

type NamespaceLabels = ReadonlyMap<string, Readonly<Record<string, string>>>

/** The Gateway that a parentRef names, as `namespace/name`; `undefined` for a parent of another kind (a Service, in the mesh). */
export function parentGateway({ group = gatewayGroup, kind = 'Gateway', ...ref }: ParentReference, namespace: string) {
  return group === gatewayGroup && kind === 'Gateway' ? `${ref.namespace ?? namespace}/${ref.name}` : undefined
}

/** Whether one of the route's parentRefs names this listener, and the listener lets such a route in. */
export function attaches(
  route: Resource,
  kind: string,
  gateway: Resource<Gateway>,
  listener: GatewayListener,
  namespaceLabels: NamespaceLabels,
): boolean {
  const namespace = namespaceOf(route)
  const key = `${namespaceOf(gateway)}/${gateway.name}`
  // A GRPCRoute has the same parentRefs, and no schema here.
  const { parentRefs } = (route.object as HttpRoute).spec
  const named = parentRefs?.some(
    (ref) =>
      parentGateway(ref, namespace) === key &&
      (ref.sectionName === undefined || ref.sectionName === listener.name) &&
      (ref.port === undefined || ref.port === listener.port),
  )
  return (
    named === true &&
    kindAllowed(listener, kind) &&
    namespaceAllowed(listener, namespaceOf(gateway), namespace, namespaceLabels)
  )
}

/** Without a list: every kind that goes with the protocol. */
function kindAllowed({ allowedRoutes }: GatewayListener, kind: string): boolean {
  const kinds = allowedRoutes?.kinds ?? []
  return kinds.length === 0 || kinds.some((one) => (one.group ?? gatewayGroup) === gatewayGroup && one.kind === kind)
}

function namespaceAllowed(
  { allowedRoutes }: GatewayListener,
  own: string,
  namespace: string,
  namespaceLabels: NamespaceLabels,
): boolean {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {}
  switch (from) {
    case 'Same':
      return namespace === own
    case 'All':
      return true
    case 'Selector':
      // Without a selector Istio lets all in (namespacesFromSelector).
      return (
        selector === undefined ||
        selectorMatches(selector, namespaceLabels.get(namespace) ?? { 'kubernetes.io/metadata.name': namespace })
      )
  }
}

/** A host pattern that a route answers for at a listener, and the route's own pattern behind it. */
export interface AttachedHost {
  readonly pattern: string
  /** The most specific of the route's hostnames that come to the pattern; `*` for a route without any. */
  readonly own: string
}

/** Where the listener's hostname and the route's intersect; empty when they nowhere do, and the route is not attached. */
export function attachedHosts(listener: string | undefined, hostnames: readonly string[] | undefined): AttachedHost[] {
  const found = new Map<string, string>()
  for (const own of hostnames === undefined || hostnames.length === 0 ? ['*'] : hostnames) {
    const pattern = intersectHosts(listener ?? '*', own)
    if (pattern === undefined) continue
    const other = found.get(pattern)
    if (other === undefined || compareSpecificity(own, other) < 0) found.set(pattern, own)
  }
  return [...found].map(([pattern, own]) => ({ pattern, own }))
}

/** HTTPRouteSpec.hostnames: first the most characters of a name that is no wildcard, then the most of any. */
export function compareSpecificity(a: string, b: string): number {
  return exactLength(b) - exactLength(a) || length(b) - length(a)
}

const length = (pattern: string): number => (pattern === '*' ? 0 : pattern.length)
const exactLength = (pattern: string): number => (pattern.startsWith('*') ? 0 : pattern.length)
