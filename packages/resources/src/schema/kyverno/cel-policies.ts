import { quote } from '../../diagnostics.js'
import { type Fields, isObject, isSet } from '../../plain.js'
import { objectMeta } from '../metadata.js'
import type { At, ObjectSchema } from '../schema.js'
import { boolean, list, map, object, open, string } from '../schema.js'
import {
  auditAnnotation,
  checkConstraints,
  evaluation,
  evaluationMode,
  expression,
  failurePolicy,
  looseMatchConditions,
  matchConditions,
  matchConstraints,
  oneOf,
  podControllers,
  switchable,
  targetMatchConstraints,
  validations,
  variables,
  webhookConfiguration,
} from './expressions.js'

/*
 * policies.kyverno.io ValidatingPolicy, MutatingPolicy, GeneratingPolicy (and those of one namespace, which hold the
 * same) and PolicyException: v1, v1beta1 and v1alpha1 are one schema. Source: their CustomResourceDefinitions, and
 * Kyverno's webhook for policies. Of the others of the group only the outline is read, since no verdict follows them.
 */

export const policyOf = (spec: ObjectSchema): ObjectSchema =>
  object({ apiVersion: string(), kind: string(), metadata: objectMeta, spec, status: open }, { required: ['spec'] })

const validationActions = list(string({ oneOf: ['Deny', 'Audit', 'Warn'] }), { unique: 'whole' })

export const validatingPolicy = policyOf(
  object(
    {
      auditAnnotations: list(auditAnnotation),
      autogen: object({ podControllers, validatingAdmissionPolicy: switchable }, { check: checkAutogen }),
      evaluation: evaluation({ background: switchable, mode: evaluationMode }),
      failurePolicy,
      matchConditions,
      matchConstraints,
      validationActions,
      validations,
      variables,
      webhookConfiguration,
    },
    {
      check: (spec, at) => {
        checkConstraints(spec, at)
        if (isEmpty(spec.validations) && isEmpty(spec.auditAnnotations))
          at.warn('validations.none', 'without validations the policy has nothing against anything')
      },
    },
  ),
)

const isEmpty = (value: unknown): boolean => !isSet(value) || (Array.isArray(value) && value.length === 0)
const isOn = (value: unknown): boolean => isSet(value) && (value as Fields).enabled === true

function checkAutogen(autogen: Fields, at: At): void {
  const controllers = isSet(autogen.podControllers) ? (autogen.podControllers as Fields).controllers : undefined
  const native = ['validatingAdmissionPolicy', 'mutatingAdmissionPolicy'].find((name) => isOn(autogen[name]))
  if (native !== undefined && !isEmpty(controllers))
    at.at(native).warn(
      'autogen.both',
      `${native} and podControllers do not go together: Kyverno makes no ${native} of a policy with rules for controllers`,
    )
}

const mutation = object(
  {
    applyConfiguration: object({ expression }),
    jsonPatch: object({ expression }),
    patchType: string({ check: oneOf('mutation.type', ['ApplyConfiguration', 'JSONPatch']) }),
  },
  {
    required: ['patchType'],
    check: (fields, at) => {
      if (typeof fields.patchType !== 'string') return
      const field = fields.patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration'
      const other = field === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch'
      if (!isObject(fields[field]) || !isSet(fields[field].expression))
        at.error('mutation.missing', `patchType ${quote(fields.patchType)} needs ${field}.expression`)
      if (isSet(fields[other]))
        at.at(other).error('mutation.both', `patchType ${quote(fields.patchType)} takes ${field} alone`)
    },
  },
)

export const mutatingPolicy = policyOf(
  object(
    {
      auditAnnotations: list(auditAnnotation),
      autogen: object({ podControllers, mutatingAdmissionPolicy: switchable }, { check: checkAutogen }),
      evaluation: evaluation({
        background: switchable,
        mode: evaluationMode,
        mutateExisting: switchable,
        skipBackgroundRequests: boolean,
        useServerSideApply: boolean,
      }),
      failurePolicy,
      matchConditions,
      matchConstraints,
      mutations: list(mutation),
      reinvocationPolicy: string({ check: oneOf('mutation.reinvocation', ['Never', 'IfNeeded']) }),
      targetMatchConditions: matchConditions,
      targetMatchConstraints,
      variables,
      webhookConfiguration,
    },
    {
      check: (spec, at) => {
        checkConstraints(spec, at)
        if (isEmpty(spec.mutations)) at.warn('mutations.none', 'without mutations the policy changes nothing')
        const { admission, mutateExisting } = (isSet(spec.evaluation) ? spec.evaluation : {}) as Fields
        if (isSet(admission) && (admission as Fields).enabled === false && !isOn(mutateExisting))
          at.at('evaluation').error(
            'evaluation.none',
            'neither at admission nor of what exists: with both off the policy is never asked, and Kyverno refuses it',
          )
      },
    },
  ),
)

const template = object(
  { interpolate: string({ oneOf: ['none', 'cel'] }), value: string({ minLength: 1 }) },
  { required: ['value'] },
)

const generation = object(
  { expression: string(), template },
  {
    check: (fields, at) => {
      const filled = ['expression', 'template'].filter((name) => isSet(fields[name]))
      if (filled.length !== 1) at.error('generate.one', 'exactly one of expression and template must be set')
    },
  },
)

export const generatingPolicy = policyOf(
  object(
    {
      auditAnnotations: list(auditAnnotation),
      evaluation: evaluation({
        generateExisting: switchable,
        orphanDownstreamOnPolicyDelete: switchable,
        skipBackgroundRequests: boolean,
        synchronize: switchable,
      }),
      generate: list(generation, { minItems: 1 }),
      matchConditions,
      matchConstraints,
      useServerSideApply: boolean,
      variables,
      webhookConfiguration,
    },
    { required: ['generate'], check: checkConstraints },
  ),
)

/** Every kind that an exception of this group may be from. */
export const EXCEPTED = [
  ...['ValidatingPolicy', 'MutatingPolicy', 'GeneratingPolicy', 'ImageValidatingPolicy', 'DeletingPolicy'],
  ...['NamespacedValidatingPolicy', 'NamespacedMutatingPolicy', 'NamespacedGeneratingPolicy'],
  ...['NamespacedImageValidatingPolicy', 'NamespacedDeletingPolicy'],
]

const policyRef = object(
  { kind: string(), name: string() },
  {
    required: ['kind', 'name'],
    check: ({ kind, name }, at) => {
      if (kind === '') at.at('kind').error('value.empty', 'the kind of a policy is needed, and this is empty')
      else if (typeof kind === 'string') oneOf('exception.kind', EXCEPTED)(kind, warning(at.at('kind')))
      if (name === '') at.at('name').error('value.empty', 'the name of a policy is needed, and this is empty')
    },
  },
)

/** Kyverno takes any kind, and excepts from nothing then. */
function warning(at: At): At {
  return { ...at, error: (code, message) => at.warn(code, `${message}, so nothing is excepted`) }
}

export const policyException = policyOf(
  object(
    {
      allowedValues: list(string()),
      evaluationMode: string(),
      expiresAt: string({ check: checkTime }),
      images: list(string()),
      matchConditions: looseMatchConditions,
      policyRefs: list(policyRef, {
        check: (refs, at) => {
          if (refs.length === 0) at.error('exception.none', 'at least one policy must be named')
        },
      }),
      properties: map(string()),
      reportResult: string({ oneOf: ['skip', 'pass'] }),
    },
    { required: ['policyRefs'] },
  ),
)

/** RFC 3339, as the definition's format asks. */
function checkTime(text: string, at: At): void {
  const isTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  if (!isTime || Number.isNaN(Date.parse(text)))
    at.error('value.time', `${quote(text)} is no time, as 2027-01-31T00:00:00Z is one`)
}

/** Known, and not looked into. */
export const outline = object(
  { apiVersion: string(), kind: string(), metadata: objectMeta, spec: open, status: open },
  { required: ['spec'] },
)
