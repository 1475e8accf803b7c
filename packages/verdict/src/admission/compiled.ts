import type { Resource } from '@bulkhead/resources'
import { indexObjects, type ObjectIndex } from './objects.js'
import { defaultsOf, type PodSecurity } from './psa/labels.js'
import { readReviewers } from './reviewers.js'
import { isOldForm } from './targets.js'
import type { AdmissionOptions, AdmissionPolicies, ReadPolicies, Reviewer } from './types.js'

/** What a set of policies knows beyond its public face. */
export interface Compiled {
  readonly objects: ObjectIndex
  readonly podSecurity: PodSecurity
  readonly mutating: readonly Reviewer[]
  readonly validating: readonly Reviewer[]
  readonly generating: readonly Reviewer[]
}

const compiled = new WeakMap<AdmissionPolicies, Compiled>()

/** @param readOldForm reads ClusterPolicy and Policy of kyverno.io: half of the engine is for those alone */
export function compileWith(
  readOldForm: ReadPolicies,
  resources: readonly Resource[],
  options: AdmissionOptions = {},
): AdmissionPolicies {
  const { reviewers, notModelled } = readReviewers(resources, options, readOldForm)
  const policies: AdmissionPolicies = { resources, notModelled }
  const doing = (does: Reviewer['does']): readonly Reviewer[] => inOrder(reviewers.filter((one) => one.does === does))
  compiled.set(policies, {
    objects: indexObjects(resources),
    podSecurity: defaultsOf(options.podSecurity),
    mutating: doing('mutate'),
    validating: doing('validate'),
    generating: doing('generate'),
  })
  return policies
}

export function compiledOf(policies: AdmissionPolicies): Compiled {
  const found = compiled.get(policies)
  if (found === undefined) throw new TypeError('these AdmissionPolicies were not made by compileAdmission()')
  return found
}

/** ValidatingAdmissionPolicy is the API server's own, and asked before any webhook is. */
const engines: readonly Reviewer['engine'][] = ['psa', 'vap', 'kyverno']

function inOrder(reviewers: readonly Reviewer[]): readonly Reviewer[] {
  return [...reviewers].sort(
    (a, b) =>
      engines.indexOf(a.engine) - engines.indexOf(b.engine) ||
      webhookOf(a) - webhookOf(b) ||
      compareNames(a.policy, b.policy),
  )
}

/**
 * By the names of their webhooks, as Kyverno sorts them: `mpol`, `mutate`, `nmpol`. Validating webhooks are asked all at
 * once on a cluster; here the old form's stands last.
 */
function webhookOf({ policy, does }: Reviewer): number {
  if (isOldForm(policy)) return 1
  return does === 'mutate' && policy.startsWith('Namespaced') ? 2 : 0
}

function compareNames(a: string, b: string): number {
  const [first, second] = [a.slice(a.indexOf('/')), b.slice(b.indexOf('/'))]
  return first < second ? -1 : first > second ? 1 : 0
}

/** The object of a policy, by what its steps call it. */
export const policyOf = (resources: readonly Resource[], id: string): Resource | undefined =>
  resources.find((resource) => resource.id === id)
