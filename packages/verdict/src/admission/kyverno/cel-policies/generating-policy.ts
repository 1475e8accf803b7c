import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { at } from '../../../model/kinds.js'
import { allHold } from '../../cel/conditions.js'
import { CelError, CelUnknownError } from '../../cel/errors.js'
import { type Expression, ExpressionReader, PolicyActivation } from '../../cel/expressions.js'
import { field, list, text } from '../../match/fields.js'
import { compileMatch, type Matches } from '../../match/match.js'
import type { AdmissionOptions, Review, Reviewed, Reviewer } from '../../types.js'
import { generatingDeclared } from './declared.js'
import { exceptedBy } from './excepted.js'
import { type Exception, exceptionsFor } from './exceptions.js'
import { Generator } from './generator.js'
import { notMatched, stepOf, unknown, type Word } from './words.js'

/*
 * GeneratingPolicy and NamespacedGeneratingPolicy of policies.kyverno.io (Kyverno 1.19: pkg/cel/policies/gpol). Kyverno
 * generates in the background, once the object is there: what fails is told in an event and refuses nobody.
 */

export class GeneratingPolicy implements Reviewer {
  readonly policy: string
  readonly engine = 'kyverno'
  readonly does = 'generate'
  readonly notModelled: readonly { readonly what: string; readonly at: string }[]
  readonly #resource: Resource
  readonly #matches: Matches
  readonly #conditions: readonly Expression[]
  readonly #variables: ReadonlyMap<string, Expression>
  readonly #generations: readonly Expression[]
  readonly #exceptions: readonly Exception[]
  /** What it made is kept as it would make it. */
  readonly #synchronizes: boolean
  /** And left there when the policy goes. */
  readonly #orphans: boolean

  constructor(resource: Resource, resources: readonly Resource[], options: AdmissionOptions) {
    const spec = field(resource.object, 'spec')
    const reader = new ExpressionReader(resource, generatingDeclared)
    this.policy = resource.id
    this.#resource = resource
    this.#matches = compileMatch(field(spec, 'matchConstraints'))
    this.#conditions = list(field(spec, 'matchConditions')).map((condition, index) =>
      reader.read(['spec', 'matchConditions', index, 'expression'], text(field(condition, 'expression')) ?? '', [
        'bool',
      ]),
    )
    const variables = new Map<string, Expression>()
    for (const [index, variable] of list(field(spec, 'variables')).entries()) {
      const name = text(field(variable, 'name')) ?? ''
      const written = text(field(variable, 'expression')) ?? ''
      variables.set(name, reader.variable(['spec', 'variables', index, 'expression'], name, written))
    }
    this.#variables = variables
    const generations = list(field(spec, 'generate'))
    const written = generations.flatMap((one, index) => {
      const expression = text(field(one, 'expression'))
      return expression === undefined ? [] : [reader.read(['spec', 'generate', index, 'expression'], expression)]
    })
    if (generations.length === 0) throw reader.error(['spec', 'generate'], 'a GeneratingPolicy generates something')
    this.#generations = written
    this.#exceptions = exceptionsFor(resource, resources, options)
    this.#synchronizes = field(spec, 'evaluation', 'synchronize', 'enabled') === true
    this.#orphans = field(spec, 'evaluation', 'orphanDownstreamOnPolicyDelete', 'enabled') === true
    const templates = generations.flatMap((one, index) =>
      text(field(one, 'expression')) === undefined
        ? [{ what: 'generate.template', at: at(resource, ['spec', 'generate', index]) }]
        : [],
    )
    this.notModelled = [...reader.notModelled, ...this.#exceptions.flatMap((one) => one.notModelled), ...templates]
  }

  review(review: Review): Reviewed {
    const elsewhere = this.#resource.namespace !== undefined && this.#resource.namespace !== review.namespace
    if (elsewhere || !this.#matches(review)) return this.#word(notMatched('its matchConstraints do not match'))
    const [unread] = this.notModelled
    if (unread !== undefined) return this.#word(unknown(unread.what, unread.at))
    try {
      return this.#generate(review)
    } catch (error) {
      if (error instanceof CelUnknownError) {
        return this.#word(unknown(error.what))
      }
      if (!(error instanceof CelError)) throw error
      const message = `failed to evaluate policy: ${error.message}`
      return this.#word({ outcome: 'audit', code: 'admission.failed', message })
    }
  }

  #generate(review: Review): Reviewed {
    const { whole, allowed, failed } = exceptedBy(this.#exceptions, review)
    if (failed !== undefined) throw failed
    if (whole !== undefined) {
      const exception = { policy: whole.id, at: whole.at }
      return this.#word({ outcome: 'not-applicable', code: 'admission.excepted', exception })
    }
    const generator = new Generator(this.#resource.namespace)
    const more = new Map<string, unknown>([
      ['exceptions', allowed],
      ['generator', generator],
    ])
    const activation = new PolicyActivation(review, this.#variables, more)
    const holds = allHold(this.#conditions, activation)
    if (holds === false) return this.#word(notMatched('its matchConditions do not hold'))
    if (holds !== true) throw holds
    for (const { program } of this.#generations) program.evaluate(activation)
    const { made } = generator
    if (made.length === 0) return this.#word({ outcome: 'allow', code: 'admission.allowed' })
    const facts = { makes: made.map(idOf).join(', '), ...(this.#synchronizes && { synchronizes: 1 }) }
    const word = this.#word({ outcome: 'allow', code: 'admission.generated', facts })
    return { ...word, generated: made, ...(this.#synchronizes && !this.#orphans && { going: made }) }
  }

  #word(word: Word): Reviewed {
    return { steps: [stepOf(this.#resource, 'generate', word)] }
  }
}

const idOf = ({ kind, metadata: { namespace, name } }: KubernetesObject): string =>
  [kind, ...(namespace === undefined ? [] : [namespace]), name].join('/')
