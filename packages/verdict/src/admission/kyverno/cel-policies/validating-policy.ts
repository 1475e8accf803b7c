import type { FieldPath, Resource } from '@bulkhead/resources'
import { CompileError } from '../../../model/compile-error.js'
import { at } from '../../../model/kinds.js'
import { fieldThatFails } from '../../cel/blame.js'
import { allHold } from '../../cel/conditions.js'
import { CelError, CelUnknownError } from '../../cel/errors.js'
import { type Expression, ExpressionReader, PolicyActivation } from '../../cel/expressions.js'
import { field, list, text, texts } from '../../match/fields.js'
import { compileMatch, type Matches } from '../../match/match.js'
import { pointer } from '../../match/pointer.js'
import type { AdmissionOptions, AdmissionStep, Review, Reviewer } from '../../types.js'
import { autogen, type Generated } from './autogen.js'
import { kyvernoDeclared } from './declared.js'
import { exceptedBy } from './excepted.js'
import { type Exception, exceptionsFor } from './exceptions.js'

/*
 * ValidatingPolicy and NamespacedValidatingPolicy of policies.kyverno.io (Kyverno 1.19: pkg/cel/policies/vpol).
 */

interface Validation extends Expression {
  readonly message: string
  readonly messageExpression?: Expression
}

/** The policy as it is written, or one that autogen has made of it. */
interface Form {
  readonly name?: Generated['name']
  readonly matches: Matches
  /** Read when it is first asked for: most sets have no CronJob. */
  variant(): Variant
}

interface Variant {
  readonly conditions: readonly Expression[]
  readonly variables: ReadonlyMap<string, Expression>
  readonly validations: readonly Validation[]
  readonly annotations: readonly (Expression & { readonly key: string })[]
  readonly notModelled: readonly { readonly what: string; readonly at: string }[]
}

type Word = Omit<AdmissionStep, 'engine' | 'does' | 'layer' | 'policy'>

export interface Found {
  readonly id: string
  readonly what: string
  readonly at: string
}

/** `undefined` for a policy that Kyverno's webhooks are not asked about. */
export function validatingPolicy(
  resource: Resource,
  resources: readonly Resource[],
  options: AdmissionOptions,
): { readonly reviewer: Reviewer; readonly notModelled: readonly Found[] } | undefined {
  const spec = field(resource.object, 'spec')
  if (field(spec, 'evaluation', 'admission', 'enabled') === false) return undefined
  if (![undefined, 'Kubernetes'].includes(text(field(spec, 'evaluation', 'mode')))) return undefined
  const policy = new ValidatingPolicy(resource, resources, options)
  const notModelled = policy.notModelled.map((found) => ({ id: resource.id, ...found }))
  return { reviewer: policy, notModelled }
}

class ValidatingPolicy implements Reviewer {
  readonly policy: string
  readonly engine = 'kyverno'
  readonly does = 'validate'
  readonly notModelled: readonly { readonly what: string; readonly at: string }[]
  readonly #resource: Resource
  readonly #at: string
  readonly #forms: readonly Form[]
  readonly #exceptions: readonly Exception[]
  readonly #actions: ReadonlySet<string>
  readonly #ignores: boolean

  constructor(resource: Resource, resources: readonly Resource[], options: AdmissionOptions) {
    const spec = field(resource.object, 'spec')
    const actions = texts(field(spec, 'validationActions'))
    this.policy = resource.id
    this.#resource = resource
    this.#at = at(resource)
    this.#actions = new Set(actions.length === 0 ? ['Deny'] : actions)
    this.#ignores = field(spec, 'failurePolicy') === 'Ignore'
    const written = readVariant(resource)
    this.#forms = [
      { matches: compileMatch(field(spec, 'matchConstraints')), variant: () => written },
      ...autogen(spec).map((generated) => formOf(resource, generated)),
    ]
    this.#exceptions = exceptionsFor(resource, resources, options)
    // What autogen makes of a policy names nothing else.
    const found = [written, ...this.#exceptions].flatMap(({ notModelled }) => notModelled)
    this.notModelled = [...new Map(found.map((one) => [`${one.at} ${one.what}`, one])).values()]
  }

  review(review: Review): { readonly steps: readonly AdmissionStep[] } {
    const { layer } = this.#resource
    const { outcome, code, ...word } = this.#word(review)
    return {
      steps: [
        {
          engine: 'kyverno',
          does: 'validate',
          ...(layer !== undefined && { layer }),
          outcome,
          code,
          policy: this.policy,
          ...word,
        },
      ],
    }
  }

  #word(review: Review): Word {
    const elsewhere = this.#resource.namespace !== undefined && this.#resource.namespace !== review.namespace
    const form = elsewhere ? undefined : this.#forms.find(({ matches }) => matches(review))
    if (form === undefined) return notMatched(this.#at, 'its matchConstraints do not match')
    const word = this.#judge(form, review)
    return form.name === undefined ? word : { ...word, rule: `autogen-${form.name}` }
  }

  #judge(form: Form, review: Review): Word {
    const [first] = this.notModelled
    if (first !== undefined) return unknown(first.what, first.at)
    try {
      return this.#excepted(form.variant(), review)
    } catch (error) {
      if (error instanceof CompileError) return unknown(`what autogen makes of it (${error.message})`, this.#at)
      if (error instanceof CelUnknownError) return unknown(error.what, this.#at)
      throw error
    }
  }

  /** Exceptions are asked first: one without images and values takes the object out, whatever the conditions are. */
  #excepted(variant: Variant, review: Review): Word {
    const { whole, allowed, failed } = exceptedBy(this.#exceptions, review, this.#ignores)
    if (failed !== undefined) return this.#failed(`failed to load context: ${failed.message}`, this.#at)
    if (whole !== undefined) {
      const exception = { policy: whole.id, at: whole.at }
      return { outcome: 'not-applicable', code: 'admission.excepted', at: this.#at, exception }
    }
    const activation = new PolicyActivation(review, variant.variables, new Map([['exceptions', allowed]]))
    return this.#conditions(variant, activation)
  }

  #conditions(variant: Variant, activation: PolicyActivation): Word {
    const holds = allHold(variant.conditions, activation)
    if (holds === true) return this.#validations(variant, activation)
    if (holds === false || this.#ignores) return notMatched(this.#at, 'its matchConditions do not hold')
    return this.#failed(`failed to load context: ${holds.message}`, variant.conditions[0]?.at ?? this.#at)
  }

  /** The first validation that does not hold ends it. */
  #validations(variant: Variant, activation: PolicyActivation): Word {
    for (const [index, validation] of variant.validations.entries()) {
      try {
        const holds = validation.program.evaluate(activation)
        if (holds === true) continue
        if (holds !== false) throw new CelError('type conversion error: a validation has to come to a bool')
        annotate(variant, activation)
      } catch (error) {
        if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
        return this.#failed(`error: ${error.message}`, validation.at, placed(validation, variant, activation))
      }
      const message = messageOf(validation, activation) || `CEL expression validation failed at index ${index}`
      return this.#refused(message, validation.at, placed(validation, variant, activation))
    }
    try {
      annotate(variant, activation)
    } catch (error) {
      if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
      return this.#failed(`failed to load context: ${error.message}`, this.#at)
    }
    return { outcome: 'allow', code: 'admission.allowed', at: this.#at }
  }

  #refused(message: string, place: string, where: Placed): Word {
    const denies = this.#actions.has('Deny')
    const warns = this.#actions.has('Warn')
    const code = denies ? 'admission.denied' : warns ? 'admission.warned' : 'admission.audited'
    return { ...this.#acts(), code, at: place, message, ...where, ...(denies && warns && { facts: { warns: 1 } }) }
  }

  /** failurePolicy is about conditions and the webhook's own absence: a validation that fails refuses whatever it says. */
  #failed(message: string, place: string, where: Placed = {}): Word {
    const warns = this.#actions.has('Deny') && this.#actions.has('Warn')
    return {
      ...this.#acts(),
      code: 'admission.failed',
      at: place,
      message,
      ...where,
      ...(warns && { facts: { warns: 1 } }),
    }
  }

  #acts(): Pick<Word, 'outcome'> {
    return { outcome: this.#actions.has('Deny') ? 'deny' : this.#actions.has('Warn') ? 'warn' : 'audit' }
  }
}

type Placed = Pick<AdmissionStep, 'path' | 'objectAt'>

/** The field that a validation minds, and where it is written. */
function placed(validation: Validation, variant: Variant, activation: PolicyActivation): Placed {
  const path: FieldPath | undefined = fieldThatFails(
    validation.program,
    activation,
    (name) => variant.variables.get(name)?.program,
  )
  const objectAt = activation.review.objectAt(path ?? [])
  return path === undefined ? { objectAt } : { path: pointer(path), objectAt }
}

function messageOf({ message, messageExpression }: Validation, activation: PolicyActivation): string {
  if (messageExpression === undefined) return message
  try {
    const made = messageExpression.program.evaluate(activation)
    return typeof made === 'string' ? made : 'failed to convert message expression to string: no string'
  } catch (error) {
    if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
    return `failed to evaluate message expression: ${error.message}`
  }
}

/** Annotations go to reports; what they come to matters here only where it is an error. */
function annotate({ annotations }: Variant, activation: PolicyActivation): void {
  for (const { key, program } of annotations) {
    try {
      program.evaluate(activation)
    } catch (error) {
      if (!(error instanceof CelError) || error instanceof CelUnknownError) throw error
      throw new CelError(`failed to evaluate auditAnnotation '${key}': ${error.message}`)
    }
  }
}

function notMatched(place: string, why: string): Word {
  return { outcome: 'not-applicable', code: 'admission.not-matched', at: place, facts: { why } }
}

function unknown(what: string, place: string): Word {
  return { outcome: 'unknown', code: 'not-modelled', at: place, facts: { what } }
}

function formOf(resource: Resource, generated: Generated): Form {
  const { name, matchConstraints } = generated
  let read: Variant | undefined
  return {
    name,
    matches: compileMatch(matchConstraints),
    variant() {
      read ??= readVariant(resource, generated)
      return read
    },
  }
}

/** Throws CompileError; of what autogen made, where the text was as long and deep as may be before it grew. */
function readVariant(resource: Resource, generated?: Generated): Variant {
  const spec = field(resource.object, 'spec')
  const reader = new ExpressionReader(resource, kyvernoDeclared)
  const source = (value: unknown): string => {
    const written = text(value) ?? ''
    return generated === undefined ? written : generated.rewrite(written)
  }
  const conditions = list(field(spec, 'matchConditions')).map((condition, index) =>
    reader.read(['spec', 'matchConditions', index, 'expression'], source(field(condition, 'expression')), ['bool']),
  )
  const variables = new Map<string, Expression>()
  for (const [index, variable] of list(field(spec, 'variables')).entries()) {
    const name = text(field(variable, 'name')) ?? ''
    const path = ['spec', 'variables', index, 'expression']
    variables.set(name, reader.variable(path, name, source(field(variable, 'expression'))))
  }
  const validations = list(field(spec, 'validations')).map((validation, index) =>
    readValidation(reader, ['spec', 'validations', index], validation, source),
  )
  const annotations = list(field(spec, 'auditAnnotations')).map((annotation, index) => {
    const path = ['spec', 'auditAnnotations', index, 'valueExpression']
    const wanted = ['string', 'null_type'] as const
    return {
      ...reader.read(path, source(field(annotation, 'valueExpression')), wanted),
      key: text(field(annotation, 'key')) ?? '',
    }
  })
  const made = field(spec, 'autogen', 'validatingAdmissionPolicy', 'enabled') === true
  return {
    conditions,
    variables,
    validations,
    annotations,
    notModelled: [
      ...reader.notModelled,
      ...(made ? [{ what: 'autogen.validatingAdmissionPolicy', at: at(resource, ['spec', 'autogen']) }] : []),
    ],
  }
}

function readValidation(
  reader: ExpressionReader,
  path: FieldPath,
  validation: unknown,
  source: (value: unknown) => string,
): Validation {
  const expression = reader.read([...path, 'expression'], source(field(validation, 'expression')), ['bool'])
  const said = source(field(validation, 'messageExpression'))
  return {
    ...expression,
    message: source(field(validation, 'message')),
    ...(said !== '' && { messageExpression: reader.read([...path, 'messageExpression'], said, ['string']) }),
  }
}
