import type { LabelSelector } from '@bulkhead/resources'
import type { Pod } from '../types.js'

/*
 * Labels as Cilium knows them: each has a source. A pod's own are `k8s:`, and so are those that Cilium derives from the
 * namespace and the ServiceAccount; nodes and the world have `reserved:` ones (semantics B.4).
 */

export type Labels = Readonly<Record<string, string>>
/** By `source:key`. */
export type SourcedLabels = ReadonlyMap<string, string>

export const namespaceKey = 'io.kubernetes.pod.namespace'
export const namespaceLabelPrefix = 'io.cilium.k8s.namespace.labels.'
const serviceAccountKey = 'io.cilium.k8s.policy.serviceaccount'
const clusterKey = 'io.cilium.k8s.policy.cluster'

/** The labels of a pod. What Cilium derives comes last: no label of the pod's own can stand in for it. */
export function podLabels(pod: Pod, namespaceLabels: Labels): SourcedLabels {
  const labels = new Map<string, string>()
  for (const [key, value] of Object.entries(pod.labels)) labels.set(`k8s:${key}`, value)
  for (const [key, value] of Object.entries(namespaceLabels)) labels.set(`k8s:${namespaceLabelPrefix}${key}`, value)
  labels.set(`k8s:${namespaceKey}`, pod.namespace)
  labels.set(`k8s:${serviceAccountKey}`, pod.serviceAccount)
  labels.set(`k8s:${clusterKey}`, 'default')
  return labels
}

export function reservedLabels(names: readonly string[]): SourcedLabels {
  return new Map(names.map((name) => [`reserved:${name}`, '']))
}

export interface Requirement {
  readonly source: string
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: readonly string[]
}

/** What a selector of a Cilium policy asks, pair by pair. A key without a source is of any. */
export function requirements({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Requirement[] {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => ({
      ...sourced(key),
      operator: 'In' as const,
      values: [value],
    })),
    ...matchExpressions.map(({ key, operator, values = [] }) => ({ ...sourced(key), operator, values })),
  ]
}

function sourced(text: string): { readonly source: string; readonly key: string } {
  const colon = text.indexOf(':')
  return colon === -1 ? { source: 'any', key: text } : { source: text.slice(0, colon), key: text.slice(colon + 1) }
}

/** Every one of them, as Kubernetes reads selectors (`NotIn` and `DoesNotExist` also hold where the key is missing). */
export function meets(wanted: readonly Requirement[], labels: SourcedLabels): boolean {
  for (const { source, key, operator, values } of wanted) {
    const value =
      source === 'any' ? (labels.get(`k8s:${key}`) ?? labels.get(`reserved:${key}`)) : labels.get(`${source}:${key}`)
    const listed = value !== undefined && values.includes(value)
    if (
      operator === 'In' ? !listed : operator === 'NotIn' ? listed : (value !== undefined) !== (operator === 'Exists')
    ) {
      return false
    }
  }
  return true
}

/** The same text for selectors that ask the same. */
export function requirementsKey(wanted: readonly Requirement[]): string {
  const each = wanted.map(({ source, key, operator, values }) =>
    JSON.stringify([source, key, operator, [...values].sort()]),
  )
  return [...new Set(each)].sort().join()
}

/** `app=web, tier in (a, b)`; empty for none. */
export function requirementsText(wanted: readonly Requirement[]): string {
  return wanted.map(requirementText).join(', ')
}

function requirementText({ source, key, operator, values }: Requirement): string {
  const name = source === 'reserved' ? `reserved:${key}` : key
  const [only = ''] = values
  switch (operator) {
    case 'In':
      if (values.length !== 1) return `${name} in (${values.join(', ')})`
      return only === '' ? name : `${name}=${only}`
    case 'NotIn':
      return `${name} not in (${values.join(', ')})`
    case 'Exists':
      return `a label ${name}`
    case 'DoesNotExist':
      return `no label ${name}`
  }
}
