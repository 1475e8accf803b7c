import type { TestContext } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import type { KubernetesAccess } from '../access.js'
import type { Patience } from '../reflector.js'
import type { ClusterView } from '../types.js'
import { connectCluster } from '../view.js'

export const hasty: Partial<Patience> = { retryMs: 5, retryMaxMs: 40, listTimeoutMs: 1_000 }

export function view(
  t: TestContext,
  access: KubernetesAccess,
  more: { patience?: Partial<Patience>; graceMs?: number } = {},
): ClusterView & { readonly noted: string[] } {
  const noted: string[] = []
  const cluster = connectCluster({
    access,
    patience: { ...hasty, ...more.patience },
    graceMs: more.graceMs ?? 0,
    note: (resource, problem) => noted.push(`${resource}: ${problem ?? 'ok'}`),
  })
  cleanUp(t, () => cluster.close())
  return Object.defineProperty(cluster, 'noted', { value: noted }) as ClusterView & { noted: string[] }
}

export const synced = (cluster: ClusterView): Promise<true> =>
  eventually('the view is synced', () => cluster.synced || undefined) as Promise<true>
export const names = (cluster: ClusterView): string[] => [...cluster.pods()].map(({ name }) => name).sort()
export const seen = (cluster: ClusterView, expected: string[]): Promise<unknown> =>
  eventually(
    `the pods are ${expected.join()}, not ${names(cluster).join()}`,
    () => names(cluster).join() === expected.join(),
  )
