import assert from 'node:assert/strict'
import type { KubernetesObject } from '@bulkhead/resources'
import { resource } from '../testing.js'
import type { Answer } from './kube-source.js'

const rbac = (kind: string, name: string, rest: object) =>
  resource({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, ...rest } as KubernetesObject &
    Record<string, unknown>)
export const account = resource({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'web', namespace: 'shop' },
})
const granted = (rules: readonly object[]) => [
  account,
  rbac('ClusterRole', 'reader', { rules }),
  rbac('ClusterRoleBinding', 'reader', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
  }),
]
/** The account `shop/web` may read pods and nodes. */
export const reading = granted([{ apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }])
/** It may do everything. */
export const everything = granted([
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
])

interface List {
  readonly metadata: {
    readonly resourceVersion: string
    readonly continue?: string
    readonly remainingItemCount?: number
  }
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace?: string } }[]
}
export const json = ({ text }: Answer) => JSON.parse(text) as Record<string, unknown>
export const list = (answer: Answer): List => {
  assert.equal(answer.code, 200, answer.text)
  return JSON.parse(answer.text) as List
}
export const names = ({ items }: List) => items.map(({ metadata }) => metadata.name)
/** `404 NotFound: ...` */
export const failure = (answer: Answer, what?: string) => {
  const { kind, status, code, reason, message } = json(answer)
  assert.deepEqual([kind, status, code], ['Status', 'Failure', answer.code], what)
  return `${code} ${reason}: ${message}`
}
