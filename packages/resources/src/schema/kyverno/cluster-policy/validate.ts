import { quote } from '../../../diagnostics.js'
import { type Fields, isObject, isSet } from '../../../plain.js'
import { didYouMean } from '../../../suggest.js'
import { selector } from '../../gateway-api/selector.js'
import type { At, ObjectSchema, Schema } from '../../schema.js'
import { boolean, list, object, open, string } from '../../schema.js'
import { auditAnnotation, looseVariables, validations } from '../expressions.js'
import { checkOpenConditions, currentConditions, foreachConditions } from './conditions.js'
import { context } from './context.js'
import { checkPattern } from './pattern.js'

/* `validate` of a rule. Source: Kyverno's CustomResourceDefinitions and its webhook for policies. */

const ACTIONS = ['audit', 'enforce', 'Audit', 'Enforce']

function checkAction(action: string, at: At): void {
  const current = action === 'audit' ? 'Audit' : action === 'enforce' ? 'Enforce' : undefined
  if (current !== undefined) at.warn('action.spelling', `${quote(action)} is the older spelling; write ${current}`)
}

/** Audit and Enforce, and how they were written before. */
export const anyAction = string({ oneOf: ACTIONS, check: checkAction })

export const actionOverrides = list(
  object({ action: anyAction, namespaceSelector: selector, namespaces: list(string()) }),
)

const CONTROLS = [
  ...['HostProcess', 'Host Namespaces', 'Privileged Containers', 'Capabilities', 'HostPath Volumes', 'Host Ports'],
  ...['AppArmor', 'SELinux', '/proc Mount Type', 'Seccomp', 'Sysctls', 'Volume Types', 'Privilege Escalation'],
  ...['Running as Non-root', 'Running as Non-root user'],
]

export const podSecurityExclude = list(
  object(
    {
      controlName: string({ oneOf: CONTROLS }),
      images: list(string()),
      restrictedField: string(),
      values: list(string()),
    },
    { required: ['controlName'] },
  ),
)

const VERSIONS = [...Array.from({ length: 14 }, (_, index) => `v1.${index + 19}`), 'latest']

const podSecurity = object({
  exclude: podSecurityExclude,
  level: string({ oneOf: ['privileged', 'baseline', 'restricted'] }),
  version: string({ oneOf: VERSIONS }),
})

const cel = object(
  {
    auditAnnotations: list(auditAnnotation),
    expressions: validations,
    generate: boolean,
    paramKind: object({ apiVersion: string(), kind: string() }),
    paramRef: object({ name: string(), namespace: string(), parameterNotFoundAction: string(), selector }),
    variables: looseVariables,
  },
  { check: checkParameters },
)

function checkParameters({ paramKind, paramRef }: Fields, at: At): void {
  if (isSet(paramKind) !== isSet(paramRef))
    at.error('parameters.half', 'paramKind and paramRef go together: which kind, and which object of it')
  if (!isObject(paramRef)) return
  if (isSet(paramRef.name) === isSet(paramRef.selector))
    at.at('paramRef').error('parameters.which', 'exactly one of name and selector must be set')
  if (!isSet(paramRef.parameterNotFoundAction))
    at.at('paramRef').error('field.missing', 'parameterNotFoundAction must be set: Allow or Deny')
}

const denyOf = (isOpen: boolean): Schema =>
  object(
    { conditions: isOpen ? open : currentConditions },
    {
      check: ({ conditions }, at) =>
        isOpen && isSet(conditions) && checkOpenConditions(conditions, at.at('conditions')),
    },
  )

const foreach = object({
  anyPattern: open,
  context,
  deny: denyOf(true),
  elementScope: boolean,
  foreach: open,
  list: string(),
  pattern: open,
  preconditions: foreachConditions,
})

const WAYS = ['pattern', 'anyPattern', 'deny', 'foreach', 'podSecurity', 'cel', 'manifests', 'assert']
const WAYS_EACH = ['pattern', 'anyPattern', 'deny', 'foreach']

function checkOneWay(fields: Fields, ways: readonly string[], at: At): void {
  const set = ways.filter((name) => isSet(fields[name]))
  const [, second] = set
  if (set.length === 0) at.error('validate.none', `one of ${ways.join(', ')} must be set: what is asked of the object`)
  else if (second !== undefined)
    at.at(second).error('validate.several', `${set.join(' and ')} do not go together; make a rule of each`)
}

function checkPatterns({ pattern, anyPattern }: Fields, at: At): void {
  if (isSet(pattern)) checkPattern(pattern, 'pattern', at.at('pattern'))
  if (!isSet(anyPattern)) return
  if (!Array.isArray(anyPattern))
    at.at('anyPattern').error('field.type', 'must be a list of patterns, one of which is to match')
  else {
    if (anyPattern.length === 0) at.at('anyPattern').error('pattern.empty-list', 'has no pattern, so none could match')
    for (const [index, one] of anyPattern.entries()) checkPattern(one, 'pattern', at.at('anyPattern', index))
  }
}

/** Of a loop in a loop, too, which its definition leaves open. */
function checkLoops(value: unknown, at: At, depth = 0): void {
  if (!Array.isArray(value)) {
    at.error('field.type', 'must be a list')
    return
  }
  if (depth > 20) {
    at.error('foreach.depth', 'loops in loops, more than 20 deep')
    return
  }
  for (const [index, item] of value.entries()) {
    const place = at.at(index)
    if (!isObject(item)) {
      place.error('field.type', 'must be an object with list and one of pattern, anyPattern, deny, foreach')
      continue
    }
    if (typeof item.list !== 'string' || item.list === '')
      place.error('field.missing', 'list must be set: a JMESPath expression for what is looped over')
    checkOneWay(item, WAYS_EACH, place)
    checkPatterns(item, place)
    for (const name of depth === 0 ? [] : Object.keys(item))
      if (!Object.hasOwn(foreach.fields, name))
        place
          .at(name)
          .error('field.unknown', `unknown field ${quote(name)}${didYouMean(name, Object.keys(foreach.fields))}`)
    if (isSet(item.foreach)) checkLoops(item.foreach, place.at('foreach'), depth + 1)
  }
}

/** @param isV1 kyverno.io/v1; v2beta1 reads conditions more strictly and knows one field less */
export const validateOf = (isV1: boolean): ObjectSchema =>
  object(
    {
      ...(isV1 && { allowExistingViolations: boolean }),
      anyPattern: open,
      assert: open,
      cel,
      deny: denyOf(isV1),
      failureAction: string({ oneOf: ['Audit', 'Enforce'] }),
      failureActionOverrides: actionOverrides,
      foreach: list(foreach),
      manifests: open,
      message: string(),
      pattern: open,
      podSecurity,
    },
    {
      check: (fields, at) => {
        checkOneWay(fields, WAYS, at)
        checkPatterns(fields, at)
        if (isSet(fields.foreach)) checkLoops(fields.foreach, at.at('foreach'))
      },
    },
  )
