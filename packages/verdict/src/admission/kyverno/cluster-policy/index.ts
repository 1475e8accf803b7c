import type { Resource } from '@bulkhead/resources'
import { isOldFormObject } from '../../targets.js'
import type { AdmissionOptions, AdmissionPolicies, ReadPolicies, Reviewer } from '../../types.js'
import { rolesFrom } from './match/roles.js'
import { conditioned } from './policies/conditions.js'
import { exceptionsIn } from './policies/exceptions.js'
import { generating } from './policies/generating.js'
import { mutating } from './policies/mutating.js'
import { notModelled } from './policies/not-modelled.js'
import { readPolicy } from './policies/read.js'
import { validating } from './policies/validating.js'

/*
 * ClusterPolicy and Policy of kyverno.io, the form that Kyverno has deprecated (semantics E.1 to E.3).
 */

/**
 * A reviewer for each thing that a policy does. Exceptions and roles are those of the same objects. Throws CompileError,
 * with file:line, for a policy that Kyverno refuses.
 */
export function clusterPolicyReviewers(
  resources: readonly Resource[],
  options: AdmissionOptions = {},
): readonly Reviewer[] {
  const policies = resources.filter(isOldFormObject).map(readPolicy)
  const exceptions = exceptionsIn(resources, options.exceptionNamespace ?? 'kyverno')
  const roles = rolesFrom(resources)
  return policies.flatMap((policy) => {
    // A policy for background scans alone refuses nobody.
    if (policy.spec.admission === false) return []
    const made = [mutating, validating, generating].map((does) => does(policy, exceptions, roles))
    return made.filter((one) => one !== undefined).map((one) => conditioned(one, policy))
  })
}

/** What of these policies is not modelled. */
export function clusterPoliciesNotModelled(resources: readonly Resource[]): AdmissionPolicies['notModelled'] {
  return resources.filter(isOldFormObject).map(readPolicy).flatMap(notModelled)
}

export const readClusterPolicies: ReadPolicies = (resources, options) => ({
  reviewers: clusterPolicyReviewers(resources, options),
  notModelled: clusterPoliciesNotModelled(resources),
})
