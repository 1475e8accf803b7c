import { managerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import type { ClusterView, PodView } from '../kubernetes/types.js'
import { type Criteria, expand, TooSlow } from './expand.js'

/** An intent each, and all of them in one transaction. */
export const MAX_PODS = 10_000

/**
 * The pods of the cluster that a strategy is for.
 *
 * @throws ServiceError NO_PODS_MATCH; TOO_MANY_PODS; CLUSTER_UNKNOWN while nobody knows what is in the cluster; InvalidFields for an expression that is too slow
 */
export function podsOf(cluster: ClusterView, criteria: Criteria): readonly PodView[] {
  requireSynced(cluster)
  let pods: readonly PodView[]
  try {
    pods = expand(cluster.pods(), criteria)
  } catch (error) {
    if (!(error instanceof TooSlow)) throw error
    throw new InvalidFields('VALIDATION_FAILED', [
      {
        field: 'commandRegex',
        message: 'takes too long over the command lines of this cluster; say it in fewer repeats',
      },
    ])
  }
  if (pods.length === 0) throw managerErrors.error('NO_PODS_MATCH')
  if (pods.length > MAX_PODS)
    throw managerErrors.error(
      'TOO_MANY_PODS',
      `${pods.length} pods match, and a strategy may be for ${MAX_PODS}; say it in several.`,
    )
  return pods
}

/** @throws ServiceError CLUSTER_UNKNOWN */
export function requireSynced(cluster: ClusterView): void {
  if (!cluster.synced) throw managerErrors.error('CLUSTER_UNKNOWN', undefined, { headers: { 'retry-after': '5' } })
}
