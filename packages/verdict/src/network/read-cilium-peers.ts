import type { CiliumCidrRule, CiliumEgressRule, CiliumIngressRule, LabelSelector } from '@bulkhead/resources'
import { rawField } from '../model/kinds.js'
import { namespaceKey, namespaceLabelPrefix, type Requirement, requirements } from './labels.js'
import { exactName, namePattern } from './names.js'
import {
  anybody,
  couldBeEndpoint,
  couldBeNode,
  couldBeOutside,
  endpoints,
  endpointsText,
  entity,
  learnedNames,
  outsideAddresses,
  unreadPeers,
} from './peers.js'
import type { ServiceSelectors } from './services.js'
import type { PeerSelector } from './types.js'

export interface PeerContext {
  /** The policy's; undefined for one of the whole cluster. */
  readonly namespace: string | undefined
  readonly services: ServiceSelectors
}

/**
 * Whom a rule names (semantics B.2, B.4 to B.6). No list at all: anybody, if the rule names ports, and else nobody. A
 * list that is there and empty: nobody.
 */
export function ciliumPeers(rule: CiliumIngressRule & CiliumEgressRule, context: PeerContext): PeerSelector[] {
  const lists: readonly (readonly PeerSelector[] | undefined)[] = [
    (rule.fromEndpoints ?? rule.toEndpoints)?.map((selector) => ciliumEndpoints(selector, context.namespace)),
    (rule.fromEntities ?? rule.toEntities)?.filter((name) => name !== 'none').map(entity),
    (rule.fromCIDR ?? rule.toCIDR)?.map((cidr) => outsideAddresses(cidr)),
    (rule.fromCIDRSet ?? rule.toCIDRSet)?.map(cidrRule),
    (rule.fromNodes ?? rule.toNodes)?.map(() =>
      unreadPeers(rule.fromNodes === undefined ? 'toNodes' : 'fromNodes', couldBeNode),
    ),
    (rule.fromGroups ?? rule.toGroups)?.map(() =>
      unreadPeers(rule.fromGroups === undefined ? 'toGroups' : 'fromGroups', couldBeOutside),
    ),
    rule.toFQDNs?.flatMap(({ matchName, matchPattern }) => [
      ...(matchName === undefined ? [] : [learnedNames('name', exactName(matchName))]),
      ...(matchPattern === undefined ? [] : [learnedNames('pattern', namePattern(matchPattern))]),
    ]),
    rule.toServices?.flatMap((reference) => servicePeers(reference, context)),
  ]
  const hasPorts = (rule.toPorts ?? []).length > 0 || (rule.icmps ?? []).length > 0
  const peers = lists.flatMap((list) => list ?? [])
  // A reference to Services that are not there leaves nothing written, which beside ports is anybody (B.6).
  const nothingLeft = (rule.toServices ?? []).length > 0 && peers.length === 0
  if (lists.every((list) => list === undefined) || nothingLeft) return hasPorts ? [anybody] : []
  return peers
}

/** A selector of endpoints, with the namespace that goes without saying. */
function ciliumEndpoints(selector: LabelSelector, namespace: string | undefined): PeerSelector {
  const wanted = requirements(selector)
  const named = wanted.some(
    ({ source, key }) =>
      source === 'reserved' ||
      ((source === 'k8s' || source === 'any') &&
        (key === namespaceKey || (namespace !== undefined && key.startsWith(namespaceLabelPrefix)))),
  )
  if (named) return endpoints(wanted, endpointsText(selector, undefined))
  return endpoints([...wanted, inNamespace(namespace)], endpointsText(selector, namespace))
}

/** In a policy of the whole cluster every namespace, so pods and neither nodes nor the world. */
function inNamespace(namespace: string | undefined): Requirement {
  return namespace === undefined
    ? { source: 'k8s', key: namespaceKey, operator: 'Exists', values: [] }
    : { source: 'k8s', key: namespaceKey, operator: 'In', values: [namespace] }
}

function cidrRule({ cidr, except, cidrGroupRef }: CiliumCidrRule): PeerSelector {
  if (cidr !== undefined) return outsideAddresses(cidr, except)
  return unreadPeers(cidrGroupRef === undefined ? 'cidrGroupSelector' : 'cidrGroupRef', couldBeOutside)
}

/** The pods that a Service selects, or whatever else stands behind it. */
function servicePeers(reference: Readonly<Record<string, unknown>>, context: PeerContext): PeerSelector[] {
  const byName = rawField(reference, 'k8sService')
  const byLabels = rawField(reference, 'k8sServiceSelector')
  const given = rawField(byName ?? byLabels, 'namespace')
  const namespace = typeof given === 'string' && given !== '' ? given : context.namespace
  const found =
    byName === undefined
      ? context.services.labelled(rawField(byLabels, 'selector') as LabelSelector, namespace)
      : context.services.named(String(rawField(byName, 'serviceName')), namespace)
  return found.map((service) =>
    service.selector === undefined
      ? unreadPeers(`toServices for Service ${service.key}, which selects no pods,`, couldBeEndpoint)
      : endpoints(
          [...requirements({ matchLabels: service.selector }), inNamespace(service.namespace)],
          `the pods behind Service ${service.key}`,
        ),
  )
}
