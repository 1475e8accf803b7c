import type { Resource } from '@bulkhead/resources'
import { groupOf } from '../../model/kinds.js'
import type { AdmissionPolicies, Reviewer } from '../types.js'
import { readBinding } from './binding.js'
import { readPolicy } from './policy.js'
import { VapReviewer } from './reviewer.js'

const GROUP = 'admissionregistration.k8s.io'

/** The ValidatingAdmissionPolicies among the objects, each with its bindings. */
export function vapReviewers(resources: readonly Resource[]): {
  readonly reviewers: readonly Reviewer[]
  readonly notModelled: AdmissionPolicies['notModelled']
} {
  const ofKind = (kind: string): readonly Resource[] =>
    resources.filter((resource) => resource.kind === kind && groupOf(resource.object) === GROUP)
  const bindings = ofKind('ValidatingAdmissionPolicyBinding').map(readBinding)
  const policies = ofKind('ValidatingAdmissionPolicy').map(readPolicy)
  return {
    reviewers: policies.map(
      (policy) =>
        new VapReviewer(
          policy,
          bindings.filter(({ policyName }) => policyName === policy.resource.name),
        ),
    ),
    notModelled: policies.flatMap(({ resource, notModelled }) =>
      notModelled.map((found) => ({ id: resource.id, ...found })),
    ),
  }
}
