import type { Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import { namespaceOf, rawField } from '../../model/kinds.js'
import type { Pod } from '../../types.js'
import { type HttpAuthorization, httpAuthorization } from '../http/authorization.js'
import { inReach, type TargetRef, targetsOf } from '../policy/policies.js'

/** A gateway's pod, and what the annotations of its template say. */
export interface GatewayPlace {
  readonly namespace: string
  /** The Gateway's own name. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly trustDomain: string
}

/** The policies that a gateway's Envoy enforces (C.4, last column). */
export function gatewayAuthorization(
  resources: readonly Resource[],
  rootNamespace: string,
  gateway: GatewayPlace,
): HttpAuthorization {
  const inForce = resources.filter((resource) => applies(resource, rootNamespace, gateway))
  const topology = /gatewayTopology/.test(gateway.annotations['proxy.istio.io/config'] ?? '')
  return httpAuthorization(inForce, { topology, tcp: false, trustDomain: gateway.trustDomain })
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
export function isGateway({ group, kind, namespace }: TargetRef, own: string): boolean {
  return kind === 'Gateway' && group === 'gateway.networking.k8s.io' && (namespace ?? own) === own
}

/** Where a pod is a gateway's, its Gateway's own name. */
export function gatewayName({ gateway = '' }: Pod): string {
  return gateway.slice(gateway.indexOf('/') + 1)
}
