import { at } from '../../../../model/kinds.js'
import type { AdmissionStep, Requester, Reviewed, Reviewer } from '../../../types.js'
import { ruleMatches, subjectOf } from '../match/match.js'
import { askRule } from '../rules/ask.js'
import { validateRule } from '../rules/validate.js'
import type { Policy, Roles, Rule, RuleAnswer, Scene } from '../types.js'
import { actionOf, failurePolicyOf, refusesAtAll } from './actions.js'
import { type Exception, exceptionOf } from './exceptions.js'
import { type Asked, asBefore, askedOf, sceneOf } from './scene.js'

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
        steps.push(...(said.length > 0 ? said : [notAsked(own, policy)]))
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
  const step = stepOf(rule, policy)
  if (rule.body.verifyImages !== undefined)
    return [{ ...step, outcome: 'unknown', code: 'not-modelled', message: 'verifyImages: signatures of images' }]
  const answer = askRule(rule, scene, (one, seen) => {
    const exception = exceptionOf(one, seen, subject, exceptions)
    return exception === undefined ? validateRule(one, seen) : { status: 'excepted', message: '', exception }
  })
  return [outcomeOf(step, answer, rule, policy, scene, asked)]
}

/** A Policy is about its own namespace. */
export function isInScope({ namespace }: Policy, { review }: Asked): boolean {
  return namespace === undefined || review.namespace === namespace
}

export function stepOf(
  rule: Rule,
  policy: Policy,
): Pick<AdmissionStep, 'engine' | 'does' | 'layer' | 'policy' | 'rule' | 'at'> {
  const { resource } = policy
  return {
    engine: 'kyverno',
    does: 'validate',
    ...(resource.layer !== undefined && { layer: resource.layer }),
    policy: resource.id,
    rule: rule.name,
    at: at(resource, rule.path),
  }
}

export function notAsked(rule: Rule, policy: Policy): AdmissionStep {
  return { ...stepOf(rule, policy), outcome: 'not-applicable', code: 'admission.not-matched' }
}

function outcomeOf(
  step: ReturnType<typeof stepOf>,
  answer: RuleAnswer,
  rule: Rule,
  policy: Policy,
  scene: Scene,
  asked: Asked,
): AdmissionStep {
  const said = { ...(answer.message !== '' && { message: answer.message }) }
  switch (answer.status) {
    case 'pass':
      return { ...step, outcome: 'allow', code: 'admission.allowed' }
    case 'unknown':
      return { ...step, outcome: 'unknown', code: 'not-modelled', ...said }
    case 'excepted':
      return {
        ...step,
        outcome: 'not-applicable',
        code: 'admission.excepted',
        ...(answer.exception !== undefined && { exception: answer.exception }),
      }
    case 'none':
    case 'skip':
      return { ...step, outcome: 'not-applicable', code: 'admission.not-matched', ...said }
    case 'fail': {
      if (actionOf(rule, policy, scene) === 'audit') return reported(step, answer, policy, asked)
      if (allowedBefore(rule, policy, scene, asked))
        return {
          ...step,
          outcome: 'not-applicable',
          code: 'admission.not-matched',
          message: 'skipping the rule evaluation as pre-existing violations are allowed',
        }
      return { ...step, outcome: 'deny', code: 'admission.denied', ...said, ...placed(answer, asked) }
    }
    case 'error':
      if (refusesAtAll(policy) && failurePolicyOf(policy) === 'Fail')
        return { ...step, outcome: 'deny', code: 'admission.failed', ...said, ...placed(answer, asked) }
      return reported(step, answer, policy, asked)
  }
}

function placed({ path }: RuleAnswer, { review }: Asked): Pick<AdmissionStep, 'path' | 'objectAt'> {
  return path === undefined ? {} : { path: `/${path.join('/')}`, objectAt: review.objectAt(path) }
}

function reported(step: ReturnType<typeof stepOf>, answer: RuleAnswer, policy: Policy, asked: Asked): AdmissionStep {
  const warns = policy.spec.emitWarning === true
  return {
    ...step,
    outcome: warns ? 'warn' : 'audit',
    code: warns ? 'admission.warned' : 'admission.audited',
    message: answer.message,
    ...placed(answer, asked),
    ...(warns && { facts: { warning: `policy ${policy.name}.${step.rule}: ${answer.message}` } }),
  }
}

/** An object that violated the rule before may be changed, unless the rule says otherwise. */
function allowedBefore(rule: Rule, policy: Policy, scene: Scene, asked: Asked): boolean {
  const validate = rule.body.validate
  const forbidden =
    typeof validate === 'object' &&
    validate !== null &&
    'allowExistingViolations' in validate &&
    validate.allowExistingViolations === false
  if (scene.operation !== 'UPDATE' || forbidden || asked.oldObject === null) return false
  const before = asBefore(asked)
  if (before.object === null) return false
  const nobody = {
    ...subjectOf(asked.review, before.object, before.operation, {
      roles: ['kyverno:invalidrole'],
      clusterRoles: ['kyverno:invalidrole'],
    }),
    user: {
      username: 'kyverno:kyverno-invalid-controller',
      uid: 'kyverno:invaliduid',
      groups: ['kyverno:invalidgroup'],
    },
  }
  if (!ruleMatches(rule.body, nobody)) return false
  return askRule(rule, sceneOf(before, policy, rule), validateRule).status === 'fail'
}
