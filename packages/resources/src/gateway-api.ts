import type { LabelSelector } from './kinds.js'
import type { GatewayListener, ParentReference, ReferenceGrant } from './kinds-gateway.js'

/*
 * What Gateway API means by its references and names, for those who check them and for the engine that follows them.
 * Pure, and without an import that runs: the verdict engine uses it in a browser too.
 */

export const gatewayGroup = 'gateway.networking.k8s.io'

/** The Gateway that a parentRef names, as `namespace/name`; `undefined` for a parent of another kind (a Service, in the mesh). */
export function parentGateway(
  { group = gatewayGroup, kind = 'Gateway', namespace, name }: ParentReference,
  own: string,
): string | undefined {
  return group === gatewayGroup && kind === 'Gateway' ? `${namespace ?? own}/${name}` : undefined
}

/** Without a list: every kind that goes with the protocol. */
export function kindAllowed({ allowedRoutes }: GatewayListener, kind: string): boolean {
  const kinds = allowedRoutes?.kinds ?? []
  return kinds.length === 0 || kinds.some((one) => (one.group ?? gatewayGroup) === gatewayGroup && one.kind === kind)
}

/**
 * Whether a listener lets routes of that namespace in.
 *
 * @param home the Gateway's namespace
 * @param selects whether a selector selects the route's namespace
 */
export function namespaceAllowed(
  { allowedRoutes }: GatewayListener,
  home: string,
  namespace: string,
  selects: (selector: LabelSelector) => boolean,
): boolean {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {}
  // Selector without a selector lets all in: what Istio does (namespacesFromSelector).
  return from === 'Same' ? namespace === home : from === 'All' || selector === undefined || selects(selector)
}

/** The pattern of exactly those hosts that both have; `undefined` when there are none. `*` is every host. */
export function intersectHosts(a: string, b: string): string | undefined {
  if (a === '*') return b
  if (b === '*' || a === b) return a
  // Of a wildcard and a name below it the name is left; of two wildcards the narrower one.
  if (a.startsWith('*.') && isBelow(b, a)) return b
  if (b.startsWith('*.') && isBelow(a, b)) return a
  return undefined
}

function isBelow(pattern: string, wildcard: string): boolean {
  const name = pattern.startsWith('*.') ? pattern.slice(1) : pattern
  return name.endsWith(wildcard.slice(1))
}

export interface Referent {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** Whether a grant, which lies in `namespace`, lets an HTTPRoute of another namespace refer to that object. */
export function permits(grant: ReferenceGrant['spec'], namespace: string, from: string, to: Referent): boolean {
  return (
    namespace === to.namespace &&
    grant.from.some((one) => one.group === gatewayGroup && one.kind === 'HTTPRoute' && one.namespace === from) &&
    grant.to.some(
      (one) => one.group === to.group && one.kind === to.kind && (one.name === undefined || one.name === to.name),
    )
  )
}

const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/**
 * A duration of Gateway API in milliseconds: up to four parts, each of at most five digits, as in `1h30m` or `500ms`
 * (GEP-2257). `undefined` for anything else. Zero is a duration too, and switches a timeout off.
 */
export function durationMs(text: string): number | undefined {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) return undefined
  let sum = 0
  for (const [, digits, unit = ''] of text.matchAll(/([0-9]+)(ms|h|m|s)/g)) sum += Number(digits) * (units[unit] ?? 0)
  return sum
}
