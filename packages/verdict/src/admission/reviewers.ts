import type { Resource } from '@bulkhead/resources'
import { readChangingPolicies } from './kyverno/cel-policies/changing.js'
import { readCelPolicies } from './kyverno/cel-policies/index.js'
import { readNotModelled } from './not-modelled.js'
import type { AdmissionOptions, ReadPolicies } from './types.js'

/** Every policy among the objects, compiled, and what of them is not modelled. */
export function readReviewers(
  resources: readonly Resource[],
  options: AdmissionOptions,
  readOldForm: ReadPolicies,
): ReturnType<ReadPolicies> {
  const cel = readCelPolicies(resources, options)
  const changing = readChangingPolicies(resources, options)
  const others = readNotModelled(resources)
  const old = readOldForm(resources, options)
  return {
    reviewers: [...cel.reviewers, ...others.reviewers, ...changing.reviewers, ...old.reviewers],
    notModelled: [...cel.notModelled, ...changing.notModelled, ...others.notModelled, ...old.notModelled],
  }
}
