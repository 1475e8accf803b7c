import type { Resource } from '@bulkhead/resources'
import { readChangingPolicies } from './kyverno/cel-policies/changing.js'
import { readCelPolicies } from './kyverno/cel-policies/index.js'
import { clusterPoliciesNotModelled, clusterPolicyReviewers } from './kyverno/cluster-policy/index.js'
import { readNotModelled } from './not-modelled.js'
import type { AdmissionOptions, AdmissionPolicies, Reviewer } from './types.js'

/** Every policy among the objects, compiled, and what of them is not modelled. */
export function readReviewers(
  resources: readonly Resource[],
  options: AdmissionOptions,
): { readonly reviewers: readonly Reviewer[]; readonly notModelled: AdmissionPolicies['notModelled'] } {
  const cel = readCelPolicies(resources, options)
  const changing = readChangingPolicies(resources, options)
  const others = readNotModelled(resources)
  return {
    reviewers: [
      ...cel.reviewers,
      ...others.reviewers,
      ...changing.reviewers,
      ...clusterPolicyReviewers(resources, options),
    ],
    notModelled: [
      ...cel.notModelled,
      ...changing.notModelled,
      ...others.notModelled,
      ...clusterPoliciesNotModelled(resources),
    ],
  }
}
