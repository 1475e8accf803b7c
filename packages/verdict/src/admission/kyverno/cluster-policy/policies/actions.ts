import { mayRefuse } from '../../../old-form.js'
import { field, isDict, isList, textOf, textsOf } from '../data.js'
import { selectorFits } from '../match/selector.js'
import type { Policy, Rule, Scene } from '../types.js'
import { wildcardMatches } from '../values/wildcard.js'

/*
 * What becomes of a violation. The rule's own word comes before the policy's; the older spelling is still read.
 */

export type Action = 'enforce' | 'audit'

export function actionOf(rule: Rule, policy: Policy, scene: Scene): Action {
  const validate = rule.body.validate
  const written =
    overrideOf(field(validate, 'failureActionOverrides'), scene) ??
    textOf(field(validate, 'failureAction')) ??
    overrideOf(policy.spec.validationFailureActionOverrides, scene) ??
    textOf(policy.spec.validationFailureAction)
  return written?.toLowerCase() === 'enforce' ? 'enforce' : 'audit'
}

/** The first override that is about the object's namespace. */
function overrideOf(overrides: unknown, { review }: Scene): string | undefined {
  if (!isList(overrides)) return undefined
  for (const override of overrides.filter(isDict)) {
    const action = textOf(override.action)
    if (action === undefined) continue
    const chosen =
      override.namespaceSelector === undefined || selectorFits(override.namespaceSelector, review.namespaceLabels)
    const named =
      override.namespaces === undefined ||
      textsOf(override.namespaces).some((one) => wildcardMatches(one, review.namespace ?? ''))
    if (chosen && named) return action
  }
  return undefined
}

/** Whether any of the policy's rules may refuse: an error in it refuses then, too. */
export function refusesAtAll({ spec, families }: Policy): boolean {
  return mayRefuse(
    spec,
    families.map(({ own: { body } }) => body),
  )
}

/** `Ignore`: what goes wrong in a policy lets the object in. */
export function failurePolicyOf({ spec }: Policy): 'Fail' | 'Ignore' {
  const written = field(spec, 'webhookConfiguration', 'failurePolicy') ?? spec.failurePolicy
  return written === 'Ignore' ? 'Ignore' : 'Fail'
}
