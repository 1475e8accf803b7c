import type { Resource } from '@bulkhead/resources'
import { groupOf } from '../../../model/kinds.js'
import { field } from '../../match/fields.js'
import type { AdmissionOptions } from '../../types.js'
import { GeneratingPolicy } from './generating-policy.js'
import type { CelPolicies } from './index.js'
import { MutatingPolicy } from './mutating-policy.js'

const kinds = {
  MutatingPolicy,
  NamespacedMutatingPolicy: MutatingPolicy,
  GeneratingPolicy,
  NamespacedGeneratingPolicy: GeneratingPolicy,
} as const

/** Every policy of policies.kyverno.io that changes objects or makes others. */
export function readChangingPolicies(resources: readonly Resource[], options: AdmissionOptions = {}): CelPolicies {
  const policies = resources.flatMap((resource) => {
    const kind = kindOf(resource)
    return kind === undefined || !isAsked(resource) ? [] : [new kind(resource, resources, options)]
  })
  return {
    reviewers: policies,
    notModelled: policies.flatMap((policy) => policy.notModelled.map((found) => ({ id: policy.policy, ...found }))),
  }
}

function kindOf({ kind, object }: Resource): (typeof kinds)[keyof typeof kinds] | undefined {
  if (groupOf(object) !== 'policies.kyverno.io' || !Object.hasOwn(kinds, kind)) return undefined
  return kinds[kind as keyof typeof kinds]
}

/** One for background scans alone is not asked. */
const isAsked = ({ object }: Resource): boolean => field(object, 'spec', 'evaluation', 'admission', 'enabled') !== false
