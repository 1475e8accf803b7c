import type { Resource } from '@bulkhead/resources'
import { clusterPolicyReviewers } from './kyverno/cluster-policy/index.js'
import type { AdmissionOptions, AdmissionPolicies, Reviewer } from './types.js'

/** Every policy among the objects, compiled, and what of them is not modelled. */
export function readReviewers(
  resources: readonly Resource[],
  options: AdmissionOptions,
): { readonly reviewers: readonly Reviewer[]; readonly notModelled: AdmissionPolicies['notModelled'] } {
  return { reviewers: clusterPolicyReviewers(resources, options), notModelled: [] }
}
