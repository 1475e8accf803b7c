import type { Resource } from '@bulkhead/resources'
import { compileWith } from './compiled.js'
import { isOldFormObject } from './targets.js'
import type { AdmissionOptions, AdmissionPolicies, ReadPolicies } from './types.js'

/*
 * The same for who can wait. What ClusterPolicy and Policy of kyverno.io need (JMESPath, patterns) takes longer to load
 * than all the rest, and is loaded when the first of them is there.
 */

export { admit } from './admit.js'
export { kubectlAnswer } from './kubectl.js'
export { othersRefusing } from './others.js'

const none: ReadPolicies = () => ({ reviewers: [], notModelled: [] })

/** Rejects with what `compileAdmission` of the whole engine throws. */
export async function compileAdmission(
  resources: readonly Resource[],
  options?: AdmissionOptions,
): Promise<AdmissionPolicies> {
  const read = resources.some(isOldFormObject)
    ? (await import('./kyverno/cluster-policy/index.js')).readClusterPolicies
    : none
  return compileWith(read, resources, options)
}
