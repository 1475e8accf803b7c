import type { Resource } from '@bulkhead/resources'
import { groupOf } from '../../../model/kinds.js'
import type { AdmissionOptions, Reviewer } from '../../types.js'
import { vapReviewers } from '../../vap/index.js'
import { type Found, validatingPolicy } from './validating-policy.js'

export interface CelPolicies {
  readonly reviewers: readonly Reviewer[]
  readonly notModelled: readonly Found[]
}

/** Every validating policy among the objects that is made of CEL: Kyverno's and the API server's own. */
export function readCelPolicies(resources: readonly Resource[], options: AdmissionOptions = {}): CelPolicies {
  const vap = vapReviewers(resources)
  const kyverno = resources
    .filter(({ kind, object }) => isValidatingPolicy(kind) && groupOf(object) === 'policies.kyverno.io')
    .flatMap((resource) => validatingPolicy(resource, resources, options) ?? [])
  return {
    reviewers: [...vap.reviewers, ...kyverno.map(({ reviewer }) => reviewer)],
    notModelled: [...vap.notModelled, ...kyverno.flatMap(({ notModelled }) => notModelled)],
  }
}

export function celReviewers(resources: readonly Resource[], options: AdmissionOptions = {}): readonly Reviewer[] {
  return readCelPolicies(resources, options).reviewers
}

const isValidatingPolicy = (kind: string): boolean =>
  kind === 'ValidatingPolicy' || kind === 'NamespacedValidatingPolicy'
