import type { Gateway, GatewayListener, HttpRoute, Resource } from '@bulkhead/resources'
import { intersectHosts, kindAllowed, namespaceAllowed, parentGateway } from '@bulkhead/resources/gateway-api'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { namespaceOf } from '../model/kinds.js'

/*
 * Which routes a listener has. Source: CommonRouteSpec.parentRefs, AllowedRoutes, Listener.hostname.
 */

type NamespaceLabels = ReadonlyMap<string, Readonly<Record<string, string>>>

/** Whether one of the route's parentRefs names this listener, and the listener lets such a route in. */
export function attaches(
  route: Resource,
  kind: string,
  gateway: Resource<Gateway>,
  listener: GatewayListener,
  namespaceLabels: NamespaceLabels,
): boolean {
  const namespace = namespaceOf(route)
  const home = namespaceOf(gateway)
  // A GRPCRoute has the same parentRefs, and no schema here.
  const { parentRefs } = (route.object as HttpRoute).spec
  const named = parentRefs?.some(
    (ref) =>
      parentGateway(ref, namespace) === `${home}/${gateway.name}` &&
      (ref.sectionName === undefined || ref.sectionName === listener.name) &&
      (ref.port === undefined || ref.port === listener.port),
  )
  return (
    named === true &&
    kindAllowed(listener, kind) &&
    namespaceAllowed(listener, home, namespace, (selector) =>
      selectorMatches(selector, namespaceLabels.get(namespace) ?? { 'kubernetes.io/metadata.name': namespace }),
    )
  )
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
