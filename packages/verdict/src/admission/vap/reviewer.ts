import type { FieldPath } from '@bulkhead/resources'
import { fieldThatFails } from '../cel/blame.js'
import { allHold, type Conditions } from '../cel/conditions.js'
import { CelError } from '../cel/errors.js'
import { PolicyActivation } from '../cel/expressions.js'
import { pointer } from '../match/pointer.js'
import type { AdmissionStep, Review, Reviewer } from '../types.js'
import { type Binding, paramsOf } from './binding.js'
import type { Policy, Validation } from './policy.js'

/*
 * ValidatingAdmissionPolicy as the API server evaluates it (apiserver's plugin/policy/validating): every binding that
 * matches, with each of its parameters, and every validation; the first that denies answers.
 */

type Word = Omit<AdmissionStep, 'engine' | 'does' | 'layer' | 'policy'>

/** The API server's own policies are not asked about each other. */
const own = new Set(['validatingadmissionpolicies', 'validatingadmissionpolicybindings'])

export class VapReviewer implements Reviewer {
  readonly policy: string
  readonly engine = 'vap'
  readonly does = 'validate'
  readonly #policy: Policy
  readonly #bindings: readonly Binding[]

  constructor(policy: Policy, bindings: readonly Binding[]) {
    this.policy = policy.resource.id
    this.#policy = policy
    this.#bindings = bindings
  }

  review(review: Review): { readonly steps: readonly AdmissionStep[] } {
    const { layer } = this.#policy.resource
    const steps = this.#words(review).map(({ outcome, code, ...word }): AdmissionStep => {
      const where = layer === undefined ? {} : { layer }
      return { engine: 'vap', does: 'validate', ...where, outcome, code, policy: this.policy, ...word }
    })
    return { steps }
  }

  #words(review: Review): readonly Word[] {
    const policy = this.#policy
    if (own.has(review.resource) || !policy.matches(review))
      return [notMatched(policy.at, 'its matchConstraints do not match')]
    const bindings = this.#bindings.filter(({ matches }) => matches(review))
    if (bindings.length === 0) return [notMatched(policy.at, 'no binding of it matches')]
    const [first] = policy.notModelled
    if (first !== undefined)
      return [{ outcome: 'unknown', code: 'not-modelled', at: first.at, facts: { what: first.what } }]
    return bindings.flatMap((binding) => this.#bound(binding, review))
  }

  #bound(binding: Binding, review: Review): readonly Word[] {
    const params = paramsOf(this.#policy, binding, review)
    if ('error' in params) return [failed(this.#policy, binding, params.error, binding.at)]
    return params.flatMap((param) => {
      const roots = this.#policy.paramKind === undefined ? undefined : new Map([['params', param]])
      return this.#evaluated(binding, new PolicyActivation(review, this.#policy.variables, roots))
    })
  }

  #evaluated(binding: Binding, activation: PolicyActivation): readonly Word[] {
    const policy = this.#policy
    let holds: Conditions = false
    const spent = errorOf(() => {
      holds = allHold(policy.conditions, activation)
    })
    if (spent !== undefined) return [failed(policy, binding, spent, policy.conditions[0]?.at ?? policy.at)]
    return this.#concluded(binding, activation, holds)
  }

  #concluded(binding: Binding, activation: PolicyActivation, holds: Conditions): readonly Word[] {
    const policy = this.#policy
    if (holds === false) return [notMatched(policy.at, 'its matchConditions do not hold')]
    if (holds !== true) return [failed(policy, binding, holds.message, policy.conditions[0]?.at ?? policy.at)]
    const words = [
      ...policy.validations.flatMap((validation) => validated(policy, binding, validation, activation)),
      ...policy.annotations.flatMap(({ program, at }) => {
        const error = errorOf(() => program.evaluate(activation))
        return error === undefined ? [] : [failed(policy, binding, error, at)]
      }),
    ]
    if (words.length > 0) return words
    return [{ outcome: 'allow', code: 'admission.allowed', at: policy.at, facts: { binding: binding.name } }]
  }
}

function validated(
  policy: Policy,
  binding: Binding,
  validation: Validation,
  activation: PolicyActivation,
): readonly Word[] {
  let holds: unknown
  const error = errorOf(() => {
    holds = validation.program.evaluate(activation)
  })
  if (error === undefined && holds === true) return []
  const { source } = validation.program
  const path = fieldThatFails(validation.program, activation, (name) => policy.variables.get(name)?.program)
  const where = placed(path, activation.review)
  if (error !== undefined) {
    const said = `expression '${source}' resulted in error: ${error}`
    return [{ ...failed(policy, binding, said, validation.at), ...where }]
  }
  const facts = { ...(validation.reason !== undefined && { reason: validation.reason }) }
  const message = messageOf(validation, activation)
  return [{ ...refused(binding, facts), at: validation.at, message, ...where }]
}

function placed(path: FieldPath | undefined, review: Review): Pick<Word, 'path' | 'objectAt'> {
  const objectAt = review.objectAt(path ?? [])
  return path === undefined ? { objectAt } : { path: pointer(path), objectAt }
}

type Facts = NonNullable<AdmissionStep['facts']>

function refused(binding: Binding, facts: Facts): Pick<Word, 'outcome' | 'code' | 'facts'> {
  const { name, actions } = binding
  const [denies, warns] = [actions.has('Deny'), actions.has('Warn')]
  const all = { binding: name, ...facts, ...(denies && warns && { warns: 1 }) }
  if (denies) return { outcome: 'deny', code: 'admission.denied', facts: all }
  if (warns) return { outcome: 'warn', code: 'admission.warned', facts: all }
  return { outcome: 'audit', code: 'admission.audited', facts: all }
}

/** With failurePolicy Ignore what cannot be evaluated is let in. */
function failed({ ignoresFailures }: Policy, binding: Binding, message: string, place: string): Word {
  if (ignoresFailures) {
    const why = `it could not be evaluated, and its failurePolicy is Ignore: ${message}`
    return { outcome: 'allow', code: 'admission.allowed', at: place, facts: { binding: binding.name, why } }
  }
  return { ...refused(binding, {}), code: 'admission.failed', at: place, message }
}

function notMatched(place: string, why: string): Word {
  return { outcome: 'not-applicable', code: 'admission.not-matched', at: place, facts: { why } }
}

function errorOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return error.message
  }
}

const MAX_MESSAGE = 5 * 1024

/** What is no message (empty, several lines, too long, an error) is passed over. */
function messageOf({ message, messageExpression, program }: Validation, activation: PolicyActivation): string {
  let made: unknown
  if (messageExpression !== undefined) {
    errorOf(() => {
      made = messageExpression.program.evaluate(activation)
    })
  }
  const said = typeof made === 'string' ? made.trim() : ''
  if (said !== '' && !said.includes('\n') && said.length <= MAX_MESSAGE) return said
  return message.trim() === '' ? `failed expression: ${program.source.trim()}` : message.trim()
}
