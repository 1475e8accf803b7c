import type { Resource } from '@bulkhead/resources'
import { at, groupOf } from '../../../model/kinds.js'
import { type Expression, ExpressionReader } from '../../cel/expressions.js'
import { field, list, text, texts } from '../../match/fields.js'
import type { AdmissionOptions } from '../../types.js'
import { kyvernoDeclared } from './declared.js'

/** A PolicyException of policies.kyverno.io, as one policy sees it. */
export interface Exception {
  readonly id: string
  readonly at: string
  readonly conditions: readonly Expression[]
  /** With neither images nor values the object is taken out of the policy; with them the policy's expressions may ask for them. */
  readonly images: readonly string[]
  readonly values: readonly string[]
  readonly notModelled: readonly { readonly what: string; readonly at: string }[]
}

/** Kyverno looks for them in one namespace, which its `--exceptionNamespace` names; whoever may write there decides. */
const NAMESPACE = 'kyverno'

/** The exceptions that name this policy. Throws CompileError for one with an expression that Kyverno would not take. */
export function exceptionsFor(
  policy: Pick<Resource, 'kind' | 'name'>,
  resources: readonly Resource[],
  options: AdmissionOptions,
): readonly Exception[] {
  const namespace = options.exceptionNamespace ?? NAMESPACE
  return resources
    .filter((resource) => resource.kind === 'PolicyException' && groupOf(resource.object) === 'policies.kyverno.io')
    .filter((resource) => namespace === '*' || (resource.namespace ?? 'default') === namespace)
    .filter((resource) =>
      list(field(resource.object, 'spec', 'policyRefs')).some(
        (ref) => field(ref, 'name') === policy.name && field(ref, 'kind') === policy.kind,
      ),
    )
    .map(readException)
}

function readException(resource: Resource): Exception {
  const spec = field(resource.object, 'spec')
  const reader = new ExpressionReader(resource, kyvernoDeclared)
  const conditions = list(field(spec, 'matchConditions')).map((condition, index) =>
    reader.read(['spec', 'matchConditions', index, 'expression'], text(field(condition, 'expression')) ?? '', ['bool']),
  )
  return {
    id: resource.id,
    at: at(resource),
    conditions,
    images: texts(field(spec, 'images')),
    values: texts(field(spec, 'allowedValues')),
    notModelled: reader.notModelled,
  }
}
