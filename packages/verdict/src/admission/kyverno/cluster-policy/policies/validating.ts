import type { AdmissionStep, Requester, Reviewed, Reviewer } from '../../../types.js'
import { field } from '../data.js'
import { NotModelled } from '../limits.js'
import { ruleMatches, subjectOf } from '../match/match.js'
import { askRule } from '../rules/ask.js'
import { readCel } from '../rules/cel.js'
import { validateRule } from '../rules/validate.js'
import type { Policy, Roles, Rule, RuleAnswer, Scene } from '../types.js'
import { actionOf, failurePolicyOf, refusesAtAll } from './actions.js'
import { type Exception, exceptionOf } from './exceptions.js'
import { type Asked, asBefore, askedOf, sceneOf } from './scene.js'
import { notAsked, said, stepOf, unknown } from './steps.js'

/*
 * The validating rules of one policy: one word of each, or one that none is about the object.
 */

export function validating(
  policy: Policy,
  exceptions: readonly Exception[],
  rolesOf: (user: Requester) => Roles,
): Reviewer | undefined {
  const families = policy.families.filter(
    ({ own: { body } }) => body.validate !== undefined || body.verifyImages !== undefined,
  )
  if (families.length === 0) return undefined
  for (const { own } of families) if (field(own.body, 'validate', 'cel') !== undefined) readCel(own, policy)
  return {
    policy: policy.resource.id,
    engine: 'kyverno',
    does: 'validate',
    review(review): Reviewed {
      const asked = askedOf(review, rolesOf)
      const steps: AdmissionStep[] = []
      const one = policy.spec.applyRules === 'One'
      for (const { own, derived } of families) {
        const said = [own, ...derived].flatMap((rule) => askedRule(rule, policy, asked, exceptions))
        steps.push(...(said.length > 0 ? said : [notAsked(stepOf(own, policy, 'validate'))]))
        if (one && said.some(({ outcome }) => outcome !== 'not-applicable')) break
      }
      return { steps }
    },
  }
}

function askedRule(rule: Rule, policy: Policy, asked: Asked, exceptions: readonly Exception[]): AdmissionStep[] {
  const target = asked.object ?? asked.oldObject
  if (target === null || !isInScope(policy, asked)) return []
  const subject = subjectOf(asked.review, target, asked.operation, asked.roles)
  if (!ruleMatches(rule.body, subject)) return []
  const scene = sceneOf(asked, policy, rule)
  const head = stepOf(rule, policy, 'validate')
  if (rule.body.verifyImages !== undefined) return [unknown(head, 'verifyImages, signatures of images,')]
  const answer = askRule(rule, scene, (one, seen): RuleAnswer => {
    const exception = exceptionOf(one, seen, subject, exceptions)
    if (exception === undefined) return validateRule(one, seen)
    if (!exception.controlsOnly || field(one.body, 'validate', 'podSecurity') === undefined)
      return { status: 'excepted', message: '', exception }
    const answer = validateRule(one, seen)
    if (answer.status !== 'fail') return answer
    throw new NotModelled(`podSecurity of ${exception.policy}, which takes out some controls,`)
  })
  return [outcomeOf(head, answer, rule, policy, scene, asked)]
}

/** A Policy is about what is in its own namespace; the Namespace itself is in none. */
export function isInScope({ namespace }: Policy, { review }: Asked): boolean {
  return namespace === undefined || (review.namespace === namespace && review.request.object.kind !== 'Namespace')
}

function outcomeOf(
  head: ReturnType<typeof stepOf>,
  answer: RuleAnswer,
  rule: Rule,
  policy: Policy,
  scene: Scene,
  asked: Asked,
): AdmissionStep {
  const plain = said(head, answer)
  if (plain !== undefined) return plain
  if (answer.status === 'pass') return { ...head, outcome: 'allow', code: 'admission.allowed' }
  const denial = { ...head, outcome: 'deny', message: answer.message, ...placed(answer, asked) } as const
  if (answer.status === 'error') {
    const refuses = refusesAtAll(policy) && failurePolicyOf(policy) === 'Fail'
    return refuses ? { ...denial, code: 'admission.failed' } : reported(head, answer, policy, asked)
  }
  if (actionOf(rule, policy, scene) === 'audit') return reported(head, answer, policy, asked)
  if (!allowedBefore(rule, policy, scene, asked)) return { ...denial, code: 'admission.denied' }
  return notAsked(head, 'it violated the rule before, and such an object may be changed')
}

function placed({ path }: RuleAnswer, { review }: Asked): Pick<AdmissionStep, 'path' | 'objectAt'> {
  return path === undefined ? {} : { path: `/${path.join('/')}`, objectAt: review.objectAt(path) }
}

/** A policy of which no rule refuses is asked only for reports, unless it is to warn. */
function reported(head: ReturnType<typeof stepOf>, answer: RuleAnswer, policy: Policy, asked: Asked): AdmissionStep {
  const warns = policy.spec.emitWarning === true || refusesAtAll(policy)
  return {
    ...head,
    ...(warns ? { outcome: 'warn', code: 'admission.warned' } : { outcome: 'audit', code: 'admission.audited' }),
    message: answer.message,
    ...placed(answer, asked),
  }
}

/** An object that violated the rule before may be changed, unless the rule says otherwise. */
function allowedBefore(rule: Rule, policy: Policy, scene: Scene, asked: Asked): boolean {
  const before = asBefore(asked)
  if (scene.operation !== 'UPDATE' || before.object === null) return false
  // Expressions see what was there before by themselves.
  if (field(rule.body, 'validate', 'cel') !== undefined) return false
  if (field(rule.body, 'validate', 'allowExistingViolations') === false) return false
  const subject = { ...subjectOf(asked.review, before.object, before.operation, nobody.roles), user: nobody.user }
  if (!ruleMatches(rule.body, subject)) return false
  return askRule(rule, sceneOf(before, policy, rule), validateRule).status === 'fail'
}

/** Who created it is not known any more; a rule about users is about somebody else then. */
const nobody = {
  user: {
    username: 'kyverno:kyverno-invalid-controller',
    uid: 'kyverno:invaliduid',
    groups: ['kyverno:invalidgroup'],
  },
  roles: { roles: ['kyverno:invalidrole'], clusterRoles: ['kyverno:invalidrole'] },
}
