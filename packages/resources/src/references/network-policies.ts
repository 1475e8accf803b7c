import { quote } from '../diagnostics.js'
import type { LabelSelector } from '../kinds.js'
import type { CiliumNetworkPolicy, CiliumRule, NetworkPolicy } from '../kinds-network.js'
import { selectorMatches } from '../selectors.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { type Cluster, type PodTemplateOf, warning } from './cluster.js'
import { closest, labelsText, namesGateways } from './selectors.js'

/*
 * Whom network policies name: pods that no manifest makes. A subject that is nobody guards nobody (of a NetworkPolicy
 * selectors.ts says it), a peer that is nobody opens nothing, and in a deny rule shuts nothing.
 */
export function checkNetworkPolicies(cluster: Cluster): Diagnostic[] {
  // Policies alone: their pods are elsewhere.
  if (cluster.pods.length === 0) return []
  return cluster.resources.flatMap((resource) => {
    switch (`${resource.object.apiVersion} ${resource.kind}`) {
      case 'networking.k8s.io/v1 NetworkPolicy':
        return checkNetworkPolicy(cluster, resource)
      case 'cilium.io/v2 CiliumNetworkPolicy':
      case 'cilium.io/v2 CiliumClusterwideNetworkPolicy':
        return checkCilium(cluster, resource)
      default:
        return []
    }
  })
}

/** Pods that manifests leave to whoever sets the cluster up: DNS, istiod. */
const SYSTEM = ['kube-system', 'istio-system']

function checkNetworkPolicy(cluster: Cluster, resource: Resource): Diagnostic[] {
  const { ingress = [], egress = [] } = (resource.object as NetworkPolicy).spec
  const own = resource.namespace ?? 'default'
  const lists: [FieldPath, (typeof ingress)[number]['from']][] = [
    ...[...ingress.entries()].map(
      ([index, { from }]) => [['ingress', index, 'from'], from] as [FieldPath, typeof from],
    ),
    ...[...egress.entries()].map(([index, { to }]) => [['egress', index, 'to'], to] as [FieldPath, typeof to]),
  ]
  return lists.flatMap(([path, peers = []]) =>
    [...peers.entries()].flatMap(([index, { podSelector, namespaceSelector }]) => {
      if (podSelector === undefined || isEmpty(podSelector) || namesGateways(podSelector)) return []
      const isIn = (namespace: string) =>
        namespaceSelector === undefined
          ? namespace === own
          : selectorMatches(namespaceSelector, cluster.namespaceLabels(namespace))
      if (SYSTEM.some(isIn)) return []
      if (cluster.podsSelected(podSelector, undefined).some(({ namespace }) => isIn(namespace))) return []
      const where = namespaceSelector === undefined ? `in ${own}` : 'in the namespaces that it selects'
      const near = namespaceSelector === undefined ? closest(cluster, podSelector, own) : ''
      return [nobody(resource, ['spec', ...path, index], `no pod ${where} has ${labelsText(podSelector)}${near}`)]
    }),
  )
}

const NAMESPACE = 'io.kubernetes.pod.namespace'
const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels.'

/** The labels that Cilium gives a pod beside its own, without their sources. */
function endpointLabels(
  cluster: Cluster,
  { namespace, labels, spec }: PodTemplateOf,
): Readonly<Record<string, string>> {
  return {
    ...labels,
    ...namespaceKeys(cluster, namespace),
    'io.cilium.k8s.policy.serviceaccount': spec.serviceAccountName ?? 'default',
    'io.cilium.k8s.policy.cluster': 'default',
  }
}

function namespaceKeys(cluster: Cluster, namespace: string): Readonly<Record<string, string>> {
  const labels = Object.entries(cluster.namespaceLabels(namespace))
  return {
    ...Object.fromEntries(labels.map(([key, value]) => [`${NAMESPACE_LABELS}${key}`, value])),
    [NAMESPACE]: namespace,
  }
}

function checkCilium(cluster: Cluster, resource: Resource): Diagnostic[] {
  const { spec, specs = [] } = resource.object as CiliumNetworkPolicy
  return [
    ...(spec === undefined ? [] : checkRule(cluster, resource, spec, ['spec'])),
    ...specs.flatMap((rule, index) => checkRule(cluster, resource, rule, ['specs', index])),
  ]
}

function checkRule(cluster: Cluster, resource: Resource, rule: CiliumRule, path: FieldPath): Diagnostic[] {
  const subject = rule.endpointSelector
  const found = subject === undefined ? undefined : missing(cluster, resource, subject, true)
  return [
    ...(found === undefined
      ? []
      : [
          warning(
            resource,
            'selector.selects-nothing',
            [...path, 'endpointSelector'],
            `its selector selects nothing, so the policy guards nobody: ${found}`,
          ),
        ]),
    ...servicesOf(rule).flatMap(([at, { k8sService }]) => {
      const { serviceName, namespace = resource.namespace ?? 'default' } = k8sService ?? {}
      if (serviceName === undefined || SYSTEM.includes(namespace) || namespace === 'default') return []
      if (cluster.get('', 'Service', namespace, serviceName) !== undefined) return []
      return [
        warning(
          resource,
          'reference.service',
          [...path, ...at],
          `there is no Service ${quote(serviceName)} in ${namespace}; without one the rule names nobody, and Cilium may then read its ports as open to everybody; name the pods in toEndpoints`,
        ),
      ]
    }),
    ...peersOf(rule).flatMap(([at, selector]) => {
      const who = missing(cluster, resource, selector, false)
      return who === undefined ? [] : [nobody(resource, [...path, ...at], who)]
    }),
  ]
}

interface NamedService {
  readonly k8sService?: { readonly serviceName?: string; readonly namespace?: string }
}

function servicesOf(rule: CiliumRule): [FieldPath, NamedService][] {
  return [...(rule.egress ?? []).entries()].flatMap(([index, { toServices = [] }]) =>
    [...toServices.entries()].map(([entry, service]): [FieldPath, NamedService] => [
      ['egress', index, 'toServices', entry],
      service,
    ]),
  )
}

function peersOf(rule: CiliumRule): [FieldPath, LabelSelector][] {
  const found: [FieldPath, LabelSelector][] = []
  for (const section of ['ingress', 'ingressDeny'] as const)
    for (const [index, { fromEndpoints = [] }] of (rule[section] ?? []).entries())
      for (const [peer, selector] of fromEndpoints.entries())
        found.push([[section, index, 'fromEndpoints', peer], selector])
  for (const section of ['egress', 'egressDeny'] as const)
    for (const [index, { toEndpoints = [] }] of (rule[section] ?? []).entries())
      for (const [peer, selector] of toEndpoints.entries())
        found.push([[section, index, 'toEndpoints', peer], selector])
  return found
}

/** `no pod in shop has app=wbe`, or nothing when there is one, or none to be expected. */
function missing(cluster: Cluster, resource: Resource, written: LabelSelector, isSubject: boolean): string | undefined {
  const selector = withoutSources(written)
  if (selector === undefined || isEmpty(selector) || namesGateways(selector)) return undefined
  const places = namespacePart(selector)
  if (!isEmpty(places) && SYSTEM.some((name) => selectorMatches(places, namespaceKeys(cluster, name)))) return undefined
  // Of a CiliumNetworkPolicy the subject lies in its own namespace, whatever it says; a peer does unless it says.
  const isOwn = resource.namespace !== undefined && (isSubject || isEmpty(places))
  const asked = isOwn && isSubject ? without(selector, isNamespaceKey) : selector
  if (isEmpty(asked)) return undefined
  const isThere = cluster.pods.some(
    (pod) => (!isOwn || pod.namespace === resource.namespace) && selectorMatches(asked, endpointLabels(cluster, pod)),
  )
  if (isThere) return undefined
  const near = isOwn ? closest(cluster, asked, resource.namespace ?? 'default') : ''
  return `no pod ${isOwn ? `in ${resource.namespace}` : 'in any namespace'} has ${labelsText(asked)}${near}`
}

const nobody = (resource: Resource, path: FieldPath, who: string): Diagnostic =>
  warning(resource, 'selector.selects-nothing', path, `this peer is nobody here: ${who}`)

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0

const isNamespaceKey = (key: string): boolean => key === NAMESPACE || key.startsWith(NAMESPACE_LABELS)

function without({ matchLabels = {}, matchExpressions = [] }: LabelSelector, left: (key: string) => boolean) {
  return {
    matchLabels: Object.fromEntries(Object.entries(matchLabels).filter(([key]) => !left(key))),
    matchExpressions: matchExpressions.filter(({ key }) => !left(key)),
  }
}

const namespacePart = (selector: LabelSelector): LabelSelector => without(selector, (key) => !isNamespaceKey(key))

/** Pods have labels of Kubernetes only; what asks for another source (`reserved:host`) is no pod. */
function withoutSources({ matchLabels = {}, matchExpressions = [] }: LabelSelector): LabelSelector | undefined {
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)]
  if (keys.some((key) => key.includes(':') && !/^(k8s|any):/.test(key))) return undefined
  const bare = (key: string) => key.replace(/^(k8s|any):/, '')
  return {
    matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [bare(key), value])),
    matchExpressions: matchExpressions.map((one) => ({ ...one, key: bare(one.key) })),
  }
}
