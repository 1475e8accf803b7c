import { quote, type Report } from '../diagnostics.js'
import { type Fields, isObject, itemsOf } from '../plain.js'
import { isDnsLabel, isLabelKey } from '../schema/names.js'
import { didYouMean } from '../suggest.js'
import type { FieldPath, KubernetesObject } from '../types.js'

/*
 * ValidatingAdmissionPolicy and its binding: what the API server refuses by code. Source: Kubernetes'
 * pkg/apis/admissionregistration/validation. Values that the library's schema lists are its to check, expressions the
 * engine's to compile.
 */

const at = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined)

/** `validations[0].expression` and the like: there, text, and not empty. */
function needText(value: unknown, path: FieldPath, what: string, report: Report): void {
  if (typeof value !== 'string' || value.trim() === '')
    report('error', 'field.missing', path, `${what} must be set, and not be empty`)
}

function checkOneOf(value: unknown, values: readonly string[], path: FieldPath, report: Report): void {
  if (typeof value === 'string' && !values.includes(value))
    report(
      'error',
      'field.value',
      path,
      `${String(path.at(-1))} is ${quote(value)}, and must be one of ${values.join(', ')}${didYouMean(value, values)}`,
    )
}

export function checkAdmissionPolicy(object: KubernetesObject, report: Report): void {
  const spec = at(object, 'spec') as Fields
  const path = ['spec']
  const constraints = spec.matchConstraints
  if (constraints === undefined || constraints === null)
    report('error', 'field.missing', path, 'matchConstraints must be set: which objects the policy is about')
  else checkConstraints(constraints, [...path, 'matchConstraints'], true, report)
  if (itemsOf(spec.validations).length === 0 && itemsOf(spec.auditAnnotations).length === 0)
    report('error', 'validations.none', path, 'at least one of validations and auditAnnotations must be there')
  for (const [index, one] of itemsOf(spec.validations).entries())
    checkValidation(one, [...path, 'validations', index], report)
  checkNamed(spec.variables, [...path, 'variables'], isIdentifier, report)
  checkNamed(spec.matchConditions, [...path, 'matchConditions'], isLabelKey, report)
  if (itemsOf(spec.matchConditions).length > 64)
    report('error', 'field.too-many', [...path, 'matchConditions'], 'at most 64 matchConditions are taken')
  for (const [index, one] of itemsOf(spec.auditAnnotations).entries()) {
    const key = at(one, 'key')
    if (typeof key !== 'string' || !isLabelKey(key))
      report(
        'error',
        'field.value',
        [...path, 'auditAnnotations', index, 'key'],
        `${quote(key ?? null)} is no name of an annotation`,
      )
    needText(at(one, 'valueExpression'), [...path, 'auditAnnotations', index], 'valueExpression', report)
  }
}

const isIdentifier = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)

function checkNamed(list: unknown, path: FieldPath, isName: (name: string) => boolean, report: Report): void {
  const names = new Set<unknown>()
  for (const [index, one] of itemsOf(list).entries()) {
    const name = at(one, 'name')
    if (typeof name !== 'string' || !isName(name))
      report('error', 'field.value', [...path, index, 'name'], `${quote(name ?? null)} is no name that is taken here`)
    else if (names.has(name))
      report('error', 'field.repeated', [...path, index, 'name'], `there is ${quote(name)} twice`)
    names.add(name)
    needText(at(one, 'expression'), [...path, index], 'expression', report)
  }
}

const REASONS = ['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge']

function checkValidation(validation: unknown, path: FieldPath, report: Report): void {
  needText(at(validation, 'expression'), path, 'expression', report)
  const message = at(validation, 'message')
  if (typeof message === 'string') {
    if (message.trim() === '') report('error', 'field.value', [...path, 'message'], 'message is empty; take it away')
    else if (message.includes('\n')) report('error', 'field.value', [...path, 'message'], 'message must be one line')
  } else if (
    String(at(validation, 'expression') ?? '').includes('\n') &&
    at(validation, 'messageExpression') === undefined
  )
    report('error', 'field.missing', path, 'an expression of several lines needs a message')
  checkOneOf(at(validation, 'reason'), REASONS, [...path, 'reason'], report)
}

/** @param isWhole of a policy, where it must say what it is about; a binding only narrows */
function checkConstraints(constraints: unknown, path: FieldPath, isWhole: boolean, report: Report): void {
  const rules = itemsOf(at(constraints, 'resourceRules'))
  if (isWhole && rules.length === 0)
    report('error', 'field.missing', path, 'resourceRules with at least one rule must be set')
  for (const name of ['resourceRules', 'excludeResourceRules'])
    for (const [index, rule] of itemsOf(at(constraints, name)).entries())
      checkResourceRule(rule, [...path, name, index], report)
}

function checkResourceRule(rule: unknown, path: FieldPath, report: Report): void {
  for (const name of ['apiGroups', 'apiVersions', 'operations', 'resources']) {
    const items = itemsOf(at(rule, name))
    if (items.length === 0)
      report('error', 'field.missing', [...path, name], `${name} with at least one entry must be set`)
    else if (name !== 'resources' && items.length > 1 && items.includes('*'))
      report('error', 'field.value', [...path, name], `"*" in ${name} stands alone`)
    for (const [index, item] of items.entries())
      if (item === '' && name !== 'apiGroups')
        report('error', 'field.value', [...path, name, index], `an entry of ${name} is empty`)
  }
  checkOneOf(at(rule, 'scope'), ['Cluster', 'Namespaced', '*'], [...path, 'scope'], report)
}

const ACTIONS = ['Deny', 'Warn', 'Audit']

export function checkAdmissionBinding(object: KubernetesObject, report: Report): void {
  const spec = at(object, 'spec') as Fields
  const path = ['spec']
  const { policyName, validationActions, paramRef, matchResources } = spec
  needText(policyName, [...path, 'policyName'], 'policyName', report)
  if (typeof policyName === 'string' && policyName !== '' && !policyName.split('.').every(isDnsLabel))
    report('error', 'object.name', [...path, 'policyName'], `${quote(policyName)} is no name of a policy`)
  const actions = itemsOf(validationActions)
  const actionsPath = [...path, 'validationActions']
  if (actions.length === 0)
    report('error', 'field.missing', actionsPath, `validationActions must have at least one of ${ACTIONS.join(', ')}`)
  for (const [index, action] of actions.entries()) {
    if (actions.indexOf(action) !== index)
      report('error', 'field.repeated', [...actionsPath, index], `there is ${quote(action)} twice`)
  }
  if (actions.includes('Deny') && actions.includes('Warn'))
    report('error', 'field.value', actionsPath, 'Deny and Warn do not go together: who is refused is told why anyway')
  if (paramRef !== undefined && paramRef !== null) checkParameters(paramRef, [...path, 'paramRef'], report)
  if (matchResources !== undefined && matchResources !== null)
    checkConstraints(matchResources, [...path, 'matchResources'], false, report)
}

function checkParameters(paramRef: unknown, path: FieldPath, report: Report): void {
  const [name, selector] = [at(paramRef, 'name'), at(paramRef, 'selector')]
  if ((name === undefined || name === '') === (selector === undefined))
    report('error', 'field.value', path, 'exactly one of name and selector must be set: which parameters')
  const action = at(paramRef, 'parameterNotFoundAction')
  if (action === undefined) report('error', 'field.missing', path, 'parameterNotFoundAction must be set: Allow or Deny')
  checkOneOf(action, ['Allow', 'Deny'], [...path, 'parameterNotFoundAction'], report)
}
