import type { KubernetesObject } from '@bulkhead/resources'
import type { AdmissionStep, Requester, Reviewed, Reviewer } from '../../../types.js'
import { field } from '../data.js'
import { ruleMatches, subjectOf } from '../match/match.js'
import { askRule } from '../rules/ask.js'
import { type Generated, generateRule } from '../rules/generate.js'
import type { Policy, Roles, Rule } from '../types.js'
import { type Exception, exceptionOf } from './exceptions.js'
import { type Asked, askedOf, sceneOf } from './scene.js'
import { notAsked, said, stepOf } from './steps.js'
import { isInScope } from './validating.js'

/** The generating rules of one policy. */
export function generating(
  policy: Policy,
  exceptions: readonly Exception[],
  rolesOf: (user: Requester) => Roles,
): Reviewer | undefined {
  const rules = policy.families.map(({ own }) => own).filter(({ body }) => body.generate !== undefined)
  if (rules.length === 0) return undefined
  return {
    policy: policy.resource.id,
    engine: 'kyverno',
    does: 'generate',
    review(review): Reviewed {
      const asked = askedOf(review, rolesOf)
      const answers = rules.map((rule) => ({ rule, answer: askedRule(rule, policy, asked, exceptions) }))
      const made: readonly KubernetesObject[] = answers.flatMap(({ answer }) => answer?.made ?? [])
      const going = answers.flatMap(({ rule, answer }) => (goesWithPolicy(rule) ? (answer?.made ?? []) : []))
      return {
        steps: answers.map(({ rule, answer }) => outcomeOf(answer, rule, policy)),
        ...(made.length > 0 && { generated: made }),
        ...(going.length > 0 && { going }),
      }
    },
  }
}

/** What is kept as the policy says goes with it, unless it is to be left behind. */
const goesWithPolicy = ({ body: { generate } }: Rule): boolean =>
  field(generate, 'synchronize') === true && field(generate, 'orphanDownstreamOnPolicyDelete') !== true

function askedRule(rule: Rule, policy: Policy, asked: Asked, exceptions: readonly Exception[]): Generated | undefined {
  const { object, review, operation, roles } = asked
  if (object === null || !isInScope(policy, asked)) return undefined
  const subject = subjectOf(review, object, operation, roles)
  if (!ruleMatches(rule.body, subject)) return undefined
  return askRule(rule, sceneOf(asked, policy, rule), (one, scene): Generated => {
    const exception = exceptionOf(one, scene, subject, exceptions)
    return exception === undefined ? generateRule(one, scene) : { status: 'excepted', message: '', exception }
  })
}

function outcomeOf(answer: Generated | undefined, rule: Rule, policy: Policy): AdmissionStep {
  const head = stepOf(rule, policy, 'generate')
  if (answer === undefined) return notAsked(head)
  const plain = said(head, answer)
  if (plain !== undefined) return plain
  if (answer.status !== 'pass') return { ...head, outcome: 'audit', code: 'admission.audited', message: answer.message }
  // Whether Kyverno keeps it as the policy says, or made it once.
  const synchronize = field(rule.body, 'generate', 'synchronize') === true ? 'true' : 'false'
  return { ...head, outcome: 'allow', code: 'admission.generated', facts: { makes: answer.message, synchronize } }
}
