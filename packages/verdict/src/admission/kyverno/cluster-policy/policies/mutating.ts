import type { AdmissionStep, Requester, Review, Reviewed, Reviewer } from '../../../types.js'
import type { Dict } from '../data.js'
import { ruleMatches, subjectOf } from '../match/match.js'
import { askRule } from '../rules/ask.js'
import { type Mutated, mutateRule } from '../rules/mutate.js'
import type { Policy, Roles, Rule } from '../types.js'
import { failurePolicyOf } from './actions.js'
import { type Exception, exceptionOf } from './exceptions.js'
import { askedOf, sceneOf } from './scene.js'
import { notAsked, said, stepOf } from './steps.js'
import { isInScope } from './validating.js'

/*
 * The mutating rules of one policy, each on what the one before has made.
 */

export function mutating(
  policy: Policy,
  exceptions: readonly Exception[],
  rolesOf: (user: Requester) => Roles,
): Reviewer | undefined {
  const families = policy.families.filter(({ own: { body } }) => body.mutate !== undefined)
  if (families.length === 0) return undefined
  return {
    policy: policy.resource.id,
    engine: 'kyverno',
    does: 'mutate',
    review(review): Reviewed {
      const steps: AdmissionStep[] = []
      let object: Dict | undefined
      for (const { own, derived } of families) {
        const heard: AdmissionStep[] = []
        for (const rule of [own, ...derived]) {
          const now = object === undefined ? review : { ...review, object }
          const made = askedRule(rule, policy, now, exceptions, rolesOf)
          if (made === undefined) continue
          heard.push(made.step)
          object = made.object ?? object
        }
        steps.push(...(heard.length > 0 ? heard : [notAsked(stepOf(own, policy, 'mutate'))]))
        if (policy.spec.applyRules === 'One' && heard.some(({ outcome }) => outcome !== 'not-applicable')) break
      }
      return { steps, ...(object !== undefined && { object }) }
    },
  }
}

function askedRule(
  rule: Rule,
  policy: Policy,
  review: Review,
  exceptions: readonly Exception[],
  rolesOf: (user: Requester) => Roles,
): { readonly step: AdmissionStep; readonly object?: Dict } | undefined {
  const asked = askedOf(review, rolesOf)
  const { object, operation } = asked
  // What is deleted or connected to is changed by nobody.
  if (object === null || (operation !== 'CREATE' && operation !== 'UPDATE') || !isInScope(policy, asked))
    return undefined
  const subject = subjectOf(review, object, operation, asked.roles)
  if (!ruleMatches(rule.body, subject)) return undefined
  const answer: Mutated = askRule(rule, sceneOf(asked, policy, rule), (one, scene): Mutated => {
    const exception = exceptionOf(one, scene, subject, exceptions)
    return exception === undefined ? mutateRule(one, scene) : { status: 'excepted', message: '', exception }
  })
  return { step: outcomeOf(answer, rule, policy), ...(answer.object !== undefined && { object: answer.object }) }
}

function outcomeOf(answer: Mutated, rule: Rule, policy: Policy): AdmissionStep {
  const head = stepOf(rule, policy, 'mutate')
  const { message } = answer
  const plain = said(head, answer)
  if (plain !== undefined) return plain
  if (answer.status === 'pass') {
    const warns = policy.spec.emitWarning === true
    const facts = { why: message, ...(warns && { warns: 1 }) }
    return { ...head, outcome: 'allow', code: 'admission.mutated', ...(warns && { message }), facts }
  }
  return failurePolicyOf(policy) === 'Fail'
    ? { ...head, outcome: 'deny', code: 'admission.failed', message }
    : { ...head, outcome: 'audit', code: 'admission.audited', message }
}
