import type { FieldPath, Resource } from '@bulkhead/resources'
import { at } from '../../model/kinds.js'
import { type Expression, ExpressionReader } from '../cel/expressions.js'
import { admissionRoots } from '../cel/roots.js'
import type { Declarations } from '../cel/scope.js'
import { field, list, text } from '../match/fields.js'
import { compileMatch, type Matches } from '../match/match.js'

export interface Validation extends Expression {
  readonly message: string
  readonly messageExpression?: Expression
  /** `Forbidden`, `Invalid` ...; absent means Invalid. */
  readonly reason?: string
}

/** A ValidatingAdmissionPolicy, read once. Without a binding it decides nothing. */
export interface Policy {
  readonly resource: Resource
  readonly at: string
  readonly matches: Matches
  readonly ignoresFailures: boolean
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string }
  readonly conditions: readonly Expression[]
  readonly variables: ReadonlyMap<string, Expression>
  readonly validations: readonly Validation[]
  readonly annotations: readonly Expression[]
  readonly notModelled: readonly { readonly what: string; readonly at: string }[]
}

/** Kyverno's libraries are not the API server's. */
const absent = new Set(['resource', 'user', 'image', 'isImage', 'parseImageReference', 'parseServiceAccount'])

const foreign = new Set(['authorizer'])

const declared: Omit<Declarations, 'variables'> = { roots: admissionRoots, absent, foreign }
const withParams: typeof declared = { ...declared, roots: new Map([...admissionRoots, ['params', 'dyn']]) }

/** Throws CompileError for one that the API server would not take. */
export function readPolicy(resource: Resource): Policy {
  const spec = field(resource.object, 'spec')
  const paramKind = kindOf(field(spec, 'paramKind'))
  const reader = new ExpressionReader(resource, paramKind === undefined ? declared : withParams)
  const conditions = list(field(spec, 'matchConditions')).map((condition, index) =>
    reader.read(['spec', 'matchConditions', index, 'expression'], text(field(condition, 'expression')) ?? '', ['bool']),
  )
  const variables = new Map<string, Expression>()
  for (const [index, variable] of list(field(spec, 'variables')).entries()) {
    const name = text(field(variable, 'name')) ?? ''
    const source = text(field(variable, 'expression')) ?? ''
    variables.set(name, reader.variable(['spec', 'variables', index, 'expression'], name, source))
  }
  const validations = list(field(spec, 'validations')).map((validation, index) =>
    readValidation(reader, ['spec', 'validations', index], validation),
  )
  const annotations = list(field(spec, 'auditAnnotations')).map((annotation, index) => {
    const path = ['spec', 'auditAnnotations', index, 'valueExpression']
    return reader.read(path, text(field(annotation, 'valueExpression')) ?? '', ['string', 'null_type'])
  })
  return {
    resource,
    at: at(resource),
    matches: compileMatch(field(spec, 'matchConstraints')),
    ignoresFailures: field(spec, 'failurePolicy') === 'Ignore',
    ...(paramKind !== undefined && { paramKind }),
    conditions,
    variables,
    validations,
    annotations,
    notModelled: reader.notModelled,
  }
}

function kindOf(value: unknown): Policy['paramKind'] {
  const [apiVersion, kind] = [text(field(value, 'apiVersion')), text(field(value, 'kind'))]
  return apiVersion === undefined || kind === undefined ? undefined : { apiVersion, kind }
}

function readValidation(reader: ExpressionReader, path: FieldPath, validation: unknown): Validation {
  const expression = reader.read([...path, 'expression'], text(field(validation, 'expression')) ?? '', ['bool'])
  const said = text(field(validation, 'messageExpression')) ?? ''
  const reason = text(field(validation, 'reason'))
  return {
    ...expression,
    message: text(field(validation, 'message')) ?? '',
    ...(reason !== undefined && { reason }),
    ...(said !== '' && { messageExpression: reader.read([...path, 'messageExpression'], said, ['string']) }),
  }
}
