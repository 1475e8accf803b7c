import type { Resource } from '@bulkhead/resources'
import type { AdmissionOptions, AdmissionPolicies, Reviewer } from './types.js'

/** Every policy among the objects, compiled, and what of them is not modelled. */
export function readReviewers(
  _resources: readonly Resource[],
  _options: AdmissionOptions,
): { readonly reviewers: readonly Reviewer[]; readonly notModelled: AdmissionPolicies['notModelled'] } {
  return { reviewers: [], notModelled: [] }
}
