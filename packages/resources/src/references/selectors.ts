import { quote } from '../diagnostics.js'
import type { LabelSelector } from '../kinds.js'
import { isObject } from '../plain.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { type Cluster, ROOT_NAMESPACE, warning } from './cluster.js'

/** Selectors that select no pod: a Service without endpoints, a policy that guards nobody. */
export function checkSelectors(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => {
    const selector = selectorOf(resource)
    return selector === undefined ? [] : checkOne(cluster, resource, selector.selector, selector.path)
  })
}

function checkOne(cluster: Cluster, resource: Resource, selector: LabelSelector, path: FieldPath): Diagnostic[] {
  const namespace = resource.namespace ?? 'default'
  const isMeshWide = namespace === ROOT_NAMESPACE && isIstio(resource)
  if (isMeshWide && resource.kind === 'PeerAuthentication') {
    return [
      warning(
        resource,
        'selector.ignored',
        path,
        `a selector in ${ROOT_NAMESPACE} is ignored by the ambient mesh, and the policy with it; put it into the pods' own namespace`,
      ),
    ]
  }
  // A gateway's pods are made by istiod, from the Gateway; its labels are known, so the Gateway stands for them.
  if (resource.kind === 'NetworkPolicy' && namesGateways(selector)) return []
  const gateway = selector.matchLabels?.[GATEWAY]
  if (gateway !== undefined) {
    if (cluster.hasGateway(namespace, gateway)) return []
    return [
      warning(
        resource,
        'selector.selects-nothing',
        path,
        `it selects the pods of the Gateway ${quote(gateway)}, and ${namespace} has no such Gateway`,
      ),
    ]
  }
  if (cluster.podsSelected(selector, isMeshWide ? undefined : namespace).length > 0) return []
  const where = isMeshWide ? 'in any namespace' : `in ${namespace}`
  return [
    warning(
      resource,
      'selector.selects-nothing',
      path,
      `${CONSEQUENCE[resource.kind] ?? 'it selects nothing'}: no pod ${where} has ${labelsText(selector)}${closest(cluster, selector, namespace)}`,
    ),
  ]
}

const GATEWAY = 'gateway.networking.k8s.io/gateway-name'

/** Pods that istiod makes, for a Gateway that another layer may bring. */
export function namesGateways({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return (
    Object.hasOwn(matchLabels, GATEWAY) ||
    matchExpressions.some(({ key, operator }) => key === GATEWAY && (operator === 'In' || operator === 'Exists'))
  )
}

const CONSEQUENCE: Readonly<Record<string, string>> = {
  Service: 'its selector selects nothing, so the name leads nowhere',
  AuthorizationPolicy: 'its selector selects nothing, so the policy guards nobody',
  PeerAuthentication: 'its selector selects nothing, so the policy guards nobody',
  NetworkPolicy: 'its selector selects nothing, so the policy guards nobody',
}

/** Where a selector of this resource is to find pods. Missing and empty ones select all, or (Service) are filled by hand. */
function selectorOf(resource: Resource): { selector: LabelSelector; path: FieldPath } | undefined {
  const { spec } = resource.object as { spec?: unknown }
  const kind = `${resource.object.apiVersion} ${resource.kind}`
  const isNetworkPolicy = kind === 'networking.k8s.io/v1 NetworkPolicy'
  if (!isObject(spec) || !(isNetworkPolicy || isIstio(resource) || kind === 'v1 Service')) return undefined
  const field = isNetworkPolicy ? 'podSelector' : 'selector'
  const written = spec[field]
  if (!isObject(written) || Object.keys(written).length === 0) return undefined
  const path = ['spec', field]
  if (kind === 'v1 Service') return { selector: { matchLabels: written as Readonly<Record<string, string>> }, path }
  return { selector: written as LabelSelector, path }
}

/** The two that are read by our own models; other kinds of the group have no schema here. */
function isIstio({ object, kind }: Resource): boolean {
  return (
    object.apiVersion.startsWith('security.istio.io/') &&
    (kind === 'AuthorizationPolicy' || kind === 'PeerAuthentication')
  )
}

export function labelsText(selector: LabelSelector): string {
  const pairs = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`)
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) => `${key} ${operator}${values.length === 0 ? '' : ` (${values.join(', ')})`}`,
  )
  return [...pairs, ...expressions].join(' and ')
}

/** The pods that miss by one label: the label is probably mistyped. */
export function closest(cluster: Cluster, selector: LabelSelector, namespace: string): string {
  const wanted = Object.entries(selector.matchLabels ?? {})
  for (const pod of cluster.pods) {
    if (pod.namespace !== namespace) continue
    const wrong = wanted.filter(([key, value]) => pod.labels[key] !== value)
    const [first] = wrong
    if (wrong.length !== 1 || first === undefined) continue
    const [key] = first
    const actual = Object.hasOwn(pod.labels, key) ? `${key}=${pod.labels[key]}` : `no label ${key}`
    if (wanted.length > 1 || Object.hasOwn(pod.labels, key)) return `; ${pod.resource.id} comes close, with ${actual}`
  }
  return ''
}
