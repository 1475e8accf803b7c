import type { Resource } from '@bulkhead/resources'
import { at } from '../../../model/kinds.js'
import { allHold } from '../../cel/conditions.js'
import { CelError, CelUnknownError } from '../../cel/errors.js'
import { type Expression, ExpressionReader, PolicyActivation } from '../../cel/expressions.js'
import { field, list, text } from '../../match/fields.js'
import { compileMatch, type Matches } from '../../match/match.js'
import { PatchError } from '../../patch/index.js'
import { mutated } from '../../review.js'
import type { AdmissionOptions, Review, Reviewed, Reviewer } from '../../types.js'
import { type AutogenName, autogen } from './autogen.js'
import { mutatingDeclared } from './declared.js'
import { exceptedBy } from './excepted.js'
import { type Exception, exceptionsFor } from './exceptions.js'
import { rewriteMutation } from './mutating-autogen.js'
import { type Mutation, mutation } from './mutations.js'
import { notMatched, stepOf, unknown, type Word } from './words.js'

/*
 * MutatingPolicy and NamespacedMutatingPolicy of policies.kyverno.io (Kyverno 1.19: pkg/cel/policies/mpol). Kyverno's
 * webhook for them is asked once: `reinvocationPolicy` is for what it makes the API server's own policies of.
 */

/** The policy as it is written, or one that autogen has made of it. */
interface Variant {
  readonly name?: AutogenName
  readonly matches: Matches
  readonly conditions: readonly Expression[]
  readonly variables: ReadonlyMap<string, Expression>
  readonly mutations: readonly (Expression & { readonly apply: Mutation })[]
  readonly notModelled: readonly { readonly what: string; readonly at: string }[]
}

export class MutatingPolicy implements Reviewer {
  readonly policy: string
  readonly engine = 'kyverno'
  readonly does = 'mutate'
  readonly #resource: Resource
  readonly #variants: readonly Variant[]
  readonly #exceptions: readonly Exception[]
  readonly #ignores: boolean

  constructor(resource: Resource, resources: readonly Resource[], options: AdmissionOptions) {
    const spec = field(resource.object, 'spec')
    this.policy = resource.id
    this.#resource = resource
    this.#ignores = field(spec, 'failurePolicy') === 'Ignore'
    this.#variants = [readVariant(resource), ...autogen(spec).map((one) => readVariant(resource, one))]
    this.#exceptions = exceptionsFor(resource, resources, options)
  }

  get notModelled(): readonly { readonly what: string; readonly at: string }[] {
    const found = [...this.#variants, ...this.#exceptions].flatMap(({ notModelled }) => notModelled)
    return [...new Map(found.map((one) => [`${one.at} ${one.what}`, one])).values()]
  }

  review(review: Review): Reviewed {
    const elsewhere = this.#resource.namespace !== undefined && this.#resource.namespace !== review.namespace
    const variant = elsewhere ? undefined : this.#variants.find(({ matches }) => matches(review))
    if (variant === undefined) return this.#word(notMatched('its matchConstraints do not match'))
    const [unread] = [...variant.notModelled, ...this.#exceptions.flatMap(({ notModelled }) => notModelled)]
    if (unread !== undefined) return this.#word(unknown(unread.what, unread.at), variant)
    try {
      return this.#judge(variant, review)
    } catch (error) {
      if (error instanceof CelUnknownError) {
        return this.#word(unknown(error.what), variant)
      }
      if (error instanceof CelError || error instanceof PatchError) return this.#failed(error.message, variant)
      throw error
    }
  }

  #judge(variant: Variant, review: Review): Reviewed {
    const { whole, allowed, failed } = exceptedBy(this.#exceptions, review)
    if (failed !== undefined) throw failed
    if (whole !== undefined) {
      const exception = { policy: whole.id, at: whole.at }
      return this.#word({ outcome: 'not-applicable', code: 'admission.excepted', exception }, variant)
    }
    const more = new Map([['exceptions', allowed]])
    const activation = new PolicyActivation(review, variant.variables, more)
    const holds = allHold(variant.conditions, activation)
    if (holds === false) return this.#word(notMatched('its matchConditions do not hold'), variant)
    if (holds !== true) throw holds
    return this.#mutate(variant, review, more)
  }

  /** Each mutation sees the object that the one before it left. What the variables came to before stays. */
  #mutate(variant: Variant, review: Review, more: ReadonlyMap<string, unknown>): Reviewed {
    let now = review
    for (const { program, apply, at: place } of variant.mutations) {
      const activation = new PolicyActivation(now, variant.variables, more)
      try {
        const object = apply(now.object, program.evaluate(activation), activation.budget)
        if (object !== now.object) now = mutated(now, object)
      } catch (error) {
        if (error instanceof CelUnknownError) throw error
        if (error instanceof CelError || error instanceof PatchError) return this.#failed(error.message, variant, place)
        throw error
      }
    }
    if (now === review) return this.#word({ outcome: 'allow', code: 'admission.allowed' }, variant)
    return { ...this.#word({ outcome: 'allow', code: 'admission.mutated' }, variant), object: now.object }
  }

  /** An error refuses, unless the policy says to let it be. */
  #failed(why: string, variant: Variant, place?: string): Reviewed {
    const message = `failed to evaluate policy: ${why}`
    const outcome = this.#ignores ? 'audit' : 'deny'
    return this.#word(
      { outcome, code: 'admission.failed', message, ...(place !== undefined && { at: place }) },
      variant,
    )
  }

  #word(word: Word, variant?: Variant): Reviewed {
    const rule = variant?.name === undefined ? {} : { rule: `autogen-${variant.name}` }
    return { steps: [stepOf(this.#resource, 'mutate', { ...word, ...rule })] }
  }
}

function readVariant(resource: Resource, generated?: ReturnType<typeof autogen>[number]): Variant {
  const spec = field(resource.object, 'spec')
  const reader = new ExpressionReader(resource, mutatingDeclared)
  const source = (value: unknown): string => {
    const written = text(value) ?? ''
    return generated === undefined ? written : rewriteMutation(written, generated.name)
  }
  const variables = new Map<string, Expression>()
  for (const [index, variable] of list(field(spec, 'variables')).entries()) {
    const name = text(field(variable, 'name')) ?? ''
    const written = text(field(variable, 'expression')) ?? ''
    variables.set(name, reader.variable(['spec', 'variables', index, 'expression'], name, written))
  }
  // Unlike those of a validating policy, these may ask for the variables.
  const conditions = list(field(spec, 'matchConditions')).map((condition, index) =>
    reader.read(['spec', 'matchConditions', index, 'expression'], source(field(condition, 'expression')), ['bool']),
  )
  const mutations = list(field(spec, 'mutations')).map((one, index) => readMutation(reader, index, one, source))
  const others: readonly (readonly string[])[] = [
    ['spec', 'targetMatchConstraints'],
    ['spec', 'autogen', 'mutatingAdmissionPolicy'],
  ]
  return {
    ...(generated !== undefined && { name: generated.name }),
    matches: compileMatch(generated?.matchConstraints ?? field(spec, 'matchConstraints')),
    conditions,
    variables,
    mutations,
    notModelled: [
      ...reader.notModelled,
      ...others.flatMap((path) => {
        const value = field(resource.object, ...path)
        const off = value === undefined || field(value, 'enabled') === false
        return off ? [] : [{ what: path.slice(1).join('.'), at: at(resource, path) }]
      }),
    ],
  }
}

function readMutation(
  reader: ExpressionReader,
  index: number,
  given: unknown,
  source: (value: unknown) => string,
): Variant['mutations'][number] {
  const path = ['spec', 'mutations', index]
  const patchType = field(given, 'patchType')
  const atomics = field(reader.resource.object, 'spec', 'evaluation', 'useServerSideApply') === true
  if (patchType === 'ApplyConfiguration') {
    const written = source(field(given, 'applyConfiguration', 'expression'))
    const expression = reader.read([...path, 'applyConfiguration', 'expression'], written, ['message', 'open', 'dyn'])
    return { ...expression, apply: mutation.applyConfiguration(atomics) }
  }
  if (patchType === 'JSONPatch') {
    const written = text(field(given, 'jsonPatch', 'expression')) ?? ''
    const expression = reader.read([...path, 'jsonPatch', 'expression'], written, ['list', 'open', 'dyn'])
    return { ...expression, apply: mutation.jsonPatch }
  }
  throw reader.error([...path, 'patchType'], 'patchType must be ApplyConfiguration or JSONPatch')
}
