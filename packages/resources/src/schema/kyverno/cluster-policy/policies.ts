import { quote } from '../../../diagnostics.js'
import { type Fields, isObject, isSet } from '../../../plain.js'
import { objectMeta } from '../../metadata.js'
import type { At, ObjectSchema } from '../../schema.js'
import { boolean, integer, list, map, object, open, string } from '../../schema.js'
import { checkSeconds, checkTimeout, expression, failurePolicy } from '../expressions.js'
import { generate, mutate } from './change.js'
import { checkOpenConditions, currentConditions } from './conditions.js'
import { context } from './context.js'
import { excludeOf, matchOf } from './filters.js'
import { actionOverrides, anyAction, podSecurityExclude, validateOf } from './validate.js'

/*
 * kyverno.io ClusterPolicy, Policy (v1, v2beta1) and PolicyException (v2, v2beta1): the older form, deprecated since
 * Kyverno 1.17. Source: their CustomResourceDefinitions, and Kyverno's webhook for policies. Signatures of images
 * (verifyImages, manifests) are not looked into, since no verdict follows them.
 */

const KINDS_OF_RULES = ['validate', 'mutate', 'generate', 'verifyImages']

const conditionsOfCel = list(object({ expression, name: string() }, { required: ['name', 'expression'] }))

const ruleOf = (isV1: boolean): ObjectSchema =>
  object(
    {
      celPreconditions: conditionsOfCel,
      context,
      exclude: excludeOf(isV1),
      generate,
      imageExtractors: open,
      match: matchOf(isV1),
      mutate,
      name: string({ maxLength: 63 }),
      preconditions: isV1 ? open : currentConditions,
      reportProperties: map(string()),
      skipBackgroundRequests: boolean,
      validate: validateOf(isV1),
      verifyImages: open,
    },
    { required: ['name', 'match'], check: (rule, at) => checkRule(rule, at, isV1) },
  )

function checkRule(rule: Fields, at: At, isV1: boolean): void {
  const does = KINDS_OF_RULES.filter((name) => isSet(rule[name]))
  const [, second] = does
  if (does.length === 0) at.error('rule.none', `one of ${KINDS_OF_RULES.join(', ')} must be set: what the rule does`)
  else if (second !== undefined)
    at.at(second).error(
      'rule.several',
      `a rule does one thing, and this has ${does.join(' and ')}; make a rule of each`,
    )
  if (isV1 && isSet(rule.preconditions)) checkOpenConditions(rule.preconditions, at.at('preconditions'))
  if (isSet(rule.celPreconditions) && !(isObject(rule.validate) && isSet(rule.validate.cel)))
    at.at('celPreconditions').error('rule.cel-preconditions', 'celPreconditions go with validate.cel alone')
  if (isSet(rule.imageExtractors) && !isSet(rule.verifyImages))
    at.at('imageExtractors').error('rule.image-extractors', 'imageExtractors go with verifyImages alone')
}

const specOf = (kind: 'ClusterPolicy' | 'Policy', isV1: boolean): ObjectSchema =>
  object(
    {
      admission: boolean,
      applyRules: string({ oneOf: ['All', 'One'] }),
      background: boolean,
      emitWarning: boolean,
      failurePolicy,
      generateExisting: boolean,
      generateExistingOnPolicyUpdate: boolean,
      mutateExistingOnPolicyUpdate: boolean,
      rules: list(ruleOf(isV1)),
      schemaValidation: boolean,
      useServerSideApply: boolean,
      validationFailureAction: anyAction,
      validationFailureActionOverrides: actionOverrides,
      webhookConfiguration: object(
        { failurePolicy, matchConditions: conditionsOfCel, timeoutSeconds: integer },
        { check: checkTimeout },
      ),
      webhookTimeoutSeconds: integer,
    },
    { check: (spec, at) => checkSpec(spec, at, kind) },
  )

function checkSpec(spec: Fields, at: At, kind: 'ClusterPolicy' | 'Policy'): void {
  const rules = Array.isArray(spec.rules) ? spec.rules.filter(isObject) : []
  if (rules.length === 0)
    at.at(...(isSet(spec.rules) ? ['rules'] : [])).warn('rules.none', 'without rules the policy does nothing')
  const names = new Set<unknown>()
  for (const [index, { name }] of rules.entries()) {
    if (typeof name === 'string' && names.has(name))
      at.at('rules', index, 'name').error('rule.name', `another rule of this policy is called ${quote(name)}, too`)
    names.add(name)
  }
  if (spec.admission === false && spec.background === false)
    at.at('background').error('spec.off', 'neither at admission nor in the background: the policy would never be asked')
  if (isSet(spec.validationFailureAction))
    at.at('validationFailureAction').warn(
      'field.deprecated',
      'deprecated since Kyverno 1.13: write failureAction into validate of each rule',
    )
  if (isSet(spec.validationFailureActionOverrides)) {
    if (kind === 'Policy')
      at.at('validationFailureActionOverrides').error(
        'spec.overrides',
        'overrides per namespace are a ClusterPolicy’s alone',
      )
    else
      at.at('validationFailureActionOverrides').warn(
        'field.deprecated',
        'deprecated since Kyverno 1.13: write failureActionOverrides into validate of each rule',
      )
  }
  if (isSet(spec.generateExistingOnPolicyUpdate))
    at.at('generateExistingOnPolicyUpdate').error(
      'field.deprecated',
      'is refused by now; write generateExisting into generate of each rule',
    )
  checkWebhook(spec, at)
}

function checkWebhook(spec: Fields, at: At): void {
  const webhook = isObject(spec.webhookConfiguration) ? spec.webhookConfiguration : {}
  checkSeconds(spec.webhookTimeoutSeconds, at.at('webhookTimeoutSeconds'))
  for (const [old, current] of [
    ['webhookTimeoutSeconds', 'timeoutSeconds'],
    ['failurePolicy', 'failurePolicy'],
  ] as const)
    if (isSet(spec[old]) && isSet(webhook[current]))
      at.at(old).error('spec.twice', `is also said by webhookConfiguration.${current}; take this one away`)
}

/** Of each kind what stands in its place now. */
const SUCCESSORS: Readonly<Record<string, string>> = {
  ClusterPolicy: 'ValidatingPolicy, MutatingPolicy or GeneratingPolicy',
  Policy: 'NamespacedValidatingPolicy, NamespacedMutatingPolicy or NamespacedGeneratingPolicy',
  PolicyException: 'PolicyException',
}

function warnOfAge(kind: string, at: At): void {
  at.warn(
    'kind.deprecated',
    `a ${kind} of kyverno.io is deprecated and its removal is announced; write a ${SUCCESSORS[kind]} of policies.kyverno.io/v1`,
  )
}

export const kyvernoPolicy = (kind: 'ClusterPolicy' | 'Policy', version: 'v1' | 'v2beta1'): ObjectSchema =>
  object(
    { apiVersion: string(), kind: string(), metadata: objectMeta, spec: specOf(kind, version === 'v1'), status: open },
    {
      required: ['spec'],
      check: (policy, at) => {
        warnOfAge(kind, at)
        checkMetadata(policy.metadata, at.at('metadata'))
      },
    },
  )

function checkMetadata(metadata: unknown, at: At): void {
  if (!isObject(metadata)) return
  const { name, annotations } = metadata
  if (typeof name === 'string' && name.length > 63)
    at.at('name').error('object.name', `the name of a policy has at most 63 characters, and this has ${name.length}`)
  const controllers = 'pod-policies.kyverno.io/autogen-controllers'
  if (isObject(annotations) && annotations[controllers] === 'all')
    at.at('annotations', controllers).error(
      'autogen.all',
      '"all" is no more; take the annotation away, or name the controllers',
    )
}

const exception = object(
  { policyName: string(), ruleNames: list(string()) },
  {
    required: ['policyName', 'ruleNames'],
    check: ({ policyName, ruleNames }, at) => {
      if (policyName === '')
        at.at('policyName').error('value.empty', 'the name of a policy is needed, and this is empty')
      if (Array.isArray(ruleNames) && ruleNames.length === 0)
        at.at('ruleNames').warn('exception.none', 'without names of rules nothing is excepted')
    },
  },
)

export const legacyException = object(
  {
    apiVersion: string(),
    kind: string(),
    metadata: objectMeta,
    spec: object(
      {
        background: boolean,
        conditions: currentConditions,
        exceptions: list(exception),
        match: matchOf(false),
        podSecurity: podSecurityExclude,
      },
      { required: ['match', 'exceptions'] },
    ),
  },
  { required: ['spec'], check: (_, at) => warnOfAge('PolicyException', at) },
)
