import type { Document } from 'mongodb'
import type { PolicyDoc } from '../store/documents.js'

/*
 * What the namespaces in policies mean (contract M12). A policy is good for strategies of its policyNamespace and for pods of its
 * k8sNamespace; an empty one is every namespace. Policies add up: a strategy over two namespaces may be covered by two policies.
 */

type Limits = readonly Pick<PolicyDoc, 'k8sNamespace' | 'policyNamespace'>[]

/** Whether the policies cover a strategy of this namespace over pods of these; over none means over all. */
export function covers(granted: Limits, strategyNamespace: string, k8sNamespaces: readonly string[]): boolean {
  const pods = podNamespaces(granted, strategyNamespace)
  return pods === 'all' || (k8sNamespaces.length > 0 && k8sNamespaces.every((namespace) => pods.has(namespace)))
}

/** The namespaces of pods that the policies cover for strategies of this namespace; undefined: of whatever namespace. */
function podNamespaces(granted: Limits, strategyNamespace: string | undefined): ReadonlySet<string> | 'all' {
  const pods = new Set<string>()
  for (const { policyNamespace, k8sNamespace } of granted) {
    if (policyNamespace !== '' && policyNamespace !== strategyNamespace) continue
    if (k8sNamespace === '') return 'all'
    pods.add(k8sNamespace)
  }
  return pods
}

/** `covers` as a filter of the database, over documents whose `k8sNamespace` is a list (strategies) or one name (intents). */
export function coveredFilter(granted: Limits, kind: 'strategies' | 'intents'): Document {
  const named = [...new Set(granted.map(({ policyNamespace }) => policyNamespace))].filter((name) => name !== '')
  const branches: Document[] = []
  const add = (strategyNamespace: Document, pods: ReadonlySet<string> | 'all'): void => {
    if (pods === 'all') branches.push(strategyNamespace)
    else if (pods.size > 0) branches.push({ ...strategyNamespace, ...within([...pods].sort(), kind) })
  }
  const others = podNamespaces(granted, undefined)
  if (others === 'all') return {}
  for (const name of named) add({ strategyNamespace: name }, podNamespaces(granted, name))
  add({}, others)
  return branches.length === 0 ? { _id: { $in: [] } } : { $or: branches }
}

function within(namespaces: readonly string[], kind: 'strategies' | 'intents'): Document {
  if (kind === 'intents') return { k8sNamespace: { $in: namespaces } }
  return { 'k8sNamespace.0': { $exists: true }, k8sNamespace: { $not: { $elemMatch: { $nin: namespaces } } } }
}
