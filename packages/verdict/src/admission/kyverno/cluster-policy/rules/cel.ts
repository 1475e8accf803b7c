import type { FieldPath, Resource } from '@bulkhead/resources'
import { allHold } from '../../../cel/conditions.js'
import { type Expression, ExpressionReader, PolicyActivation } from '../../../cel/expressions.js'
import { CelError, CelUnknownError } from '../../../cel/index.js'
import { admissionRoots } from '../../../cel/roots.js'
import { type Dict, isDict, isList, textOf } from '../data.js'
import { NotModelled } from '../limits.js'
import type { Policy, Rule, RuleAnswer, Scene } from '../types.js'

/*
 * validate.cel: the expressions of a ValidatingAdmissionPolicy inside of a rule, with the rule's message.
 */

interface Validation {
  readonly expression: Expression
  readonly message: string
  readonly said: Expression | undefined
}

interface CelRule {
  readonly conditions: readonly Expression[]
  readonly variables: ReadonlyMap<string, Expression>
  readonly validations: readonly Validation[]
  readonly notModelled: readonly string[]
}

/** Kyverno's own libraries are for its policies of the current form. */
const absent: ReadonlySet<string> = new Set([
  'resource',
  'user',
  'image',
  'isImage',
  'parseImageReference',
  'parseServiceAccount',
])

const read = new WeakMap<Rule, CelRule>()

/** Throws CompileError for an expression that no cluster takes. */
export function readCel(rule: Rule, { resource }: Pick<Policy, 'resource'>): CelRule {
  const known = read.get(rule)
  if (known !== undefined) return known
  const made = readRule(rule, resource)
  read.set(rule, made)
  return made
}

function readRule({ body, path }: Rule, resource: Resource): CelRule {
  const validate = isDict(body.validate) ? body.validate : {}
  const cel = isDict(validate.cel) ? validate.cel : {}
  const start = [...path, 'validate', 'cel']
  const reader = new ExpressionReader(resource, { roots: admissionRoots, absent, foreign: new Set(['authorizer']) })
  const each = <T>(list: unknown, at: FieldPath, does: (one: Dict, at: FieldPath) => T): readonly T[] =>
    isList(list) ? list.map((one, index) => does(isDict(one) ? one : {}, [...at, index])) : []
  const conditions = each(body.celPreconditions, [...path, 'celPreconditions'], (one, at) =>
    reader.read([...at, 'expression'], textOf(one.expression) ?? '', ['bool']),
  )
  const variables = each(cel.variables, [...start, 'variables'], (one, at) =>
    reader.variable([...at, 'expression'], textOf(one.name) ?? '', textOf(one.expression) ?? ''),
  )
  const validations = each(cel.expressions, [...start, 'expressions'], (one, at) => {
    const said = textOf(one.messageExpression) ?? ''
    return {
      expression: reader.read([...at, 'expression'], textOf(one.expression) ?? '', ['bool']),
      message: textOf(one.message) ?? textOf(validate.message) ?? '',
      said: said === '' ? undefined : reader.read([...at, 'messageExpression'], said, ['string']),
    }
  })
  const params = cel.paramKind === undefined && cel.paramRef === undefined ? [] : ['parameters of validate.cel']
  return {
    conditions,
    variables: new Map(variables.map((one) => [one.name, one])),
    validations,
    notModelled: [...params, ...reader.notModelled.map(({ what }) => what)],
  }
}

export function celRule(rule: Rule, { policy, review }: Scene): RuleAnswer {
  const { conditions, variables, validations, notModelled } = readCel(rule, policy)
  const [first] = notModelled
  if (first !== undefined) throw new NotModelled(first)
  const activation = new PolicyActivation(review, variables)
  const met = allHold(conditions, activation)
  if (met === false) return { status: 'skip', message: 'cel preconditions not met' }
  if (met !== true) return { status: 'fail', message: met.message }
  for (const validation of validations) {
    const message = refusal(validation, activation)
    if (message !== undefined) return { status: 'fail', message }
  }
  return { status: 'pass', message: `Validation rule '${rule.name}' passed.` }
}

/** undefined: it holds. */
function refusal({ expression, message, said }: Validation, activation: PolicyActivation): string | undefined {
  const { source } = expression.program
  const answer = evaluated(expression, activation)
  if (answer.value === true) return undefined
  if (answer.error !== undefined) return `expression '${source}' resulted in error: ${answer.error}`
  const own = said === undefined ? undefined : evaluated(said, activation).value
  if (typeof own === 'string' && own.trim() !== '' && !own.trim().includes('\n')) return own.trim()
  return message.trim() === '' ? `failed expression: ${source.trim()}` : message.trim()
}

function evaluated(
  { program }: Expression,
  activation: PolicyActivation,
): { readonly value?: unknown; readonly error?: string } {
  try {
    return { value: program.evaluate(activation) }
  } catch (error) {
    if (error instanceof CelUnknownError) throw new NotModelled(error.what)
    if (error instanceof CelError) return { error: error.message }
    throw error
  }
}
