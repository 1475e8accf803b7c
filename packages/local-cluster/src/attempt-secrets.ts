import type { MeshApi } from '@bulkhead/mesh'
import type { Attempt, ResolvedAttempt } from '@bulkhead/scenarios'
import { NoLoot, lootOf as stolen } from '@bulkhead/scenarios/loot'
import type { Snapshot } from '@bulkhead/verdict'
import { loginAt } from './attempt-login.js'
import { ClusterError } from './errors.js'

export { withoutLoot } from '@bulkhead/scenarios/loot'

/** What a thief has got hold of is read with. */
export interface SecretsHost {
  readonly mesh: Pick<MeshApi, 'dialAsKubelet' | 'listening'>
  readonly snapshot: Snapshot
  /** The value of a Secret's key; undefined when there is no such Secret or key. */
  readonly secret?: (namespace: string, name: string, key: string) => string | undefined
  /** The token of a workload's pod, as the API server gives it; undefined when there is no such pod, or it has none. */
  readonly serviceAccountToken?: (workload: string) => Promise<string | undefined>
}

/**
 * What an attempt needs and no scenario holds, as the local target has it.
 * @throws ClusterError `bad-attempt` when there is none
 */
export async function lootOf(
  attempt: Attempt,
  host: SecretsHost,
): Promise<Pick<ResolvedAttempt, 'password' | 'token'>> {
  try {
    return await stolen(attempt, {
      secret: (namespace, name, key) => host.secret?.(namespace, name, key),
      serviceAccountToken: async (workload) => host.serviceAccountToken?.(workload),
      login: (username, password) => loginAt(host, username, password),
    })
  } catch (error) {
    if (error instanceof NoLoot) throw new ClusterError('bad-attempt', error.message)
    throw error
  }
}
