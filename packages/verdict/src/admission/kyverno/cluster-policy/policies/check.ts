import type { FieldPath, Resource } from '@bulkhead/resources'
import { CompileError } from '../../../../model/compile-error.js'
import { operatorNames } from '../conditions/operators.js'
import { type Dict, isDict, isList, textOf, textsOf } from '../data.js'
import { MAX_POLICY_DEPTH } from '../limits.js'
import { type AnchorType, parseAnchor } from '../pattern/anchor.js'
import { allVariables, type Found } from '../variables/braces.js'
import { readExpression } from '../variables/expression.js'

/*
 * What Kyverno refuses of a policy when it is created. A mistake in a policy is the policy's, and not every object's.
 */

type Fail = (path: FieldPath, what: string) => never

export function checkPolicy(resource: Resource, spec: unknown): void {
  const fail: Fail = (path, what) => {
    throw new CompileError(resource, path, what)
  }
  if (!isDict(spec)) fail(['spec'], 'a policy without spec; rules are what it consists of')
  checkDepth(spec, ['spec'], fail)
  if (!isList(spec.rules) || spec.rules.length === 0) fail(['spec', 'rules'], 'a policy without rules')
  const names = new Set<string>()
  for (const [index, rule] of spec.rules.entries()) {
    const path = ['spec', 'rules', index]
    if (!isDict(rule)) fail(path, 'a rule is an object with name, match and what it does')
    checkRule(rule, path, fail)
    const name = textOf(rule.name) ?? ''
    if (names.has(name)) fail([...path, 'name'], `a second rule named "${name}"`)
    names.add(name)
  }
  checkAction(spec.validationFailureAction, ['spec', 'validationFailureAction'], fail)
}

/** Before anything walks it. */
function checkDepth(root: unknown, start: FieldPath, fail: Fail): void {
  let level: readonly { readonly value: unknown; readonly path: FieldPath }[] = [{ value: root, path: start }]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_POLICY_DEPTH)
      fail(level[0]?.path.slice(0, 8) ?? start, `nested deeper than ${MAX_POLICY_DEPTH} levels; a policy is not`)
    level = level.flatMap(({ value, path }) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).map(([key, inner]) => ({
            value: inner,
            path: path.length < 10 ? [...path, isList(value) ? Number(key) : key] : path,
          }))
        : [],
    )
  }
}

const kindsOfRule = ['validate', 'mutate', 'generate', 'verifyImages']
const kindsOfValidation = ['pattern', 'anyPattern', 'deny', 'foreach', 'podSecurity', 'cel', 'manifests', 'assert']

function checkRule(rule: Dict, path: FieldPath, fail: Fail): void {
  const name = textOf(rule.name) ?? ''
  if (name === '') fail(path, 'a rule without a name')
  if (name.length > 63) fail([...path, 'name'], `a name of ${name.length} characters; 63 is the most`)
  const does = kindsOfRule.filter((kind) => rule[kind] !== undefined)
  if (does.length !== 1)
    fail(
      path,
      `the rule "${name}" has ${does.join(' and ') || 'nothing to do'}; each rule has one of ${kindsOfRule.join(', ')}`,
    )
  checkBlock(rule.match, [...path, 'match'], fail)
  if (rule.exclude !== undefined) checkFilters(rule.exclude, [...path, 'exclude'], fail)
  checkConditions(rule.preconditions, [...path, 'preconditions'], fail)
  if (rule.validate !== undefined) checkValidate(rule.validate, [...path, 'validate'], fail)
  if (rule.mutate !== undefined) checkMutate(rule.mutate, [...path, 'mutate'], fail)
  checkTexts(rule, path, fail)
}

function checkBlock(block: unknown, path: FieldPath, fail: Fail): void {
  if (!isDict(block)) fail(path, 'a rule without match')
  checkFilters(block, path, fail)
  const filters = [block, ...filtersIn(block)]
  const asks = filters.some((one) => isDict(one) && isDict(one.resources) && textsOf(one.resources.kinds).length > 0)
  if (!asks) fail(path, 'match names no kinds; at least one is required')
}

function filtersIn(block: Dict): readonly unknown[] {
  return [block.any, block.all].flatMap((list) => (isList(list) ? list : []))
}

const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']

function checkFilters(block: unknown, path: FieldPath, fail: Fail): void {
  if (!isDict(block)) fail(path, 'must be an object')
  if (block.any !== undefined && block.all !== undefined) fail(path, 'has any and all; only one of them is allowed')
  for (const filter of [block, ...filtersIn(block)]) {
    const written = isDict(filter) && isDict(filter.resources) ? textsOf(filter.resources.operations) : []
    const wrong = written.find((one) => !operations.includes(one))
    if (wrong !== undefined) fail(path, `"${wrong}" is no operation; there are ${operations.join(', ')}`)
  }
}

const known = new Set(operatorNames.map((name) => name.toLowerCase()))

function checkConditions(conditions: unknown, path: FieldPath, fail: Fail): void {
  if (conditions === undefined || conditions === null) return
  const lists: readonly (readonly [FieldPath, unknown])[] = isList(conditions)
    ? [[path, conditions]]
    : isDict(conditions)
      ? [
          [[...path, 'any'], conditions.any],
          [[...path, 'all'], conditions.all],
        ]
      : fail(path, 'conditions are any, all, or a list')
  for (const [at, list] of lists) {
    if (list === undefined) continue
    if (!isList(list)) fail(at, 'must be a list of conditions')
    for (const [index, condition] of list.entries()) {
      const where = [...at, index]
      if (!isDict(condition)) fail(where, 'a condition is an object with key, operator and value')
      if (condition.any !== undefined || condition.all !== undefined) {
        checkConditions(condition, where, fail)
        continue
      }
      const operator = textOf(condition.operator) ?? ''
      if (!known.has(operator.toLowerCase()))
        fail([...where, 'operator'], `"${operator}" is no operator; there are ${operatorNames.join(', ')}`)
    }
  }
}

function checkAction(action: unknown, path: FieldPath, fail: Fail): void {
  if (action === undefined) return
  if (!['Audit', 'Enforce', 'audit', 'enforce'].includes(textOf(action) ?? ''))
    fail(path, `"${String(action)}" is no action; there are Audit and Enforce`)
}

function checkValidate(validate: unknown, path: FieldPath, fail: Fail): void {
  if (!isDict(validate)) fail(path, 'must be an object')
  const does = kindsOfValidation.filter((kind) => validate[kind] !== undefined)
  if (does.length !== 1)
    fail(
      path,
      `has ${does.join(' and ') || 'nothing to hold objects against'}; one of ${kindsOfValidation.join(', ')} is required`,
    )
  checkAction(validate.failureAction, [...path, 'failureAction'], fail)
  checkCheck(validate, path, fail)
}

const anchorsOfPatterns: readonly AnchorType[] = ['condition', 'existence', 'equality', 'negation', 'global']
const anchorsOfPatches: readonly AnchorType[] = ['condition', 'add', 'global']

/** pattern, anyPattern, deny and foreach, also inside of a foreach. */
function checkCheck(body: Dict, path: FieldPath, fail: Fail): void {
  if (body.pattern !== undefined) checkAnchors(body.pattern, [...path, 'pattern'], anchorsOfPatterns, fail)
  if (body.anyPattern !== undefined) {
    if (!isList(body.anyPattern)) fail([...path, 'anyPattern'], 'must be a list of patterns')
    for (const [index, one] of body.anyPattern.entries())
      checkAnchors(one, [...path, 'anyPattern', index], anchorsOfPatterns, fail)
  }
  if (isDict(body.deny)) checkConditions(body.deny.conditions, [...path, 'deny', 'conditions'], fail)
  for (const [loop, at] of loopsIn(body, path, fail)) checkCheck(loop, at, fail)
}

function loopsIn(body: Dict, path: FieldPath, fail: Fail): readonly (readonly [Dict, FieldPath])[] {
  if (body.foreach === undefined) return []
  if (!isList(body.foreach)) return fail([...path, 'foreach'], 'must be a list')
  return body.foreach.map((loop, index): readonly [Dict, FieldPath] => {
    const at = [...path, 'foreach', index]
    if (!isDict(loop)) return fail(at, 'must be an object with list')
    if ((textOf(loop.list) ?? '') === '') fail(at, 'a foreach without list: an expression that gives the elements')
    checkConditions(loop.preconditions, [...at, 'preconditions'], fail)
    return [loop, at]
  })
}

function checkMutate(mutate: unknown, path: FieldPath, fail: Fail): void {
  if (!isDict(mutate)) fail(path, 'must be an object')
  if (mutate.patchStrategicMerge !== undefined)
    checkAnchors(mutate.patchStrategicMerge, [...path, 'patchStrategicMerge'], anchorsOfPatches, fail)
  for (const [loop, at] of loopsIn(mutate, path, fail)) checkMutate(loop, at, fail)
}

function checkAnchors(pattern: unknown, path: FieldPath, allowed: readonly AnchorType[], fail: Fail): void {
  if (isList(pattern)) {
    for (const [index, item] of pattern.entries()) checkAnchors(item, [...path, index], allowed, fail)
    return
  }
  if (!isDict(pattern)) return
  for (const [key, value] of Object.entries(pattern)) {
    const anchor = parseAnchor(key)
    const at = [...path, key]
    if (anchor !== undefined && !allowed.includes(anchor.type))
      fail(
        at,
        `the anchor "${key}" has no meaning here${anchor.type === 'add' ? '; it adds what is absent, and belongs into mutate' : ''}`,
      )
    if (anchor?.type === 'existence' && (!isList(value) || value.length === 0))
      fail(at, `the anchor "${key}" asks for an element of a list: its value must be a list with at least one`)
    checkAnchors(value, at, allowed, fail)
  }
}

/** Variables whose text holds no other one are read now; the others when those inside have their values. */
function checkTexts(value: unknown, path: FieldPath, fail: Fail): void {
  if (typeof value === 'string') {
    const found = allVariables(value)
    // What another variable has been put into is known when it is.
    if (found.length === 0 || nested(value, found)) return
    for (const text of new Set(found.map((one) => one.text))) if (text !== '@') expressionAt(text, path, fail)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, isList(value) ? Number(key) : key]
    const bare = (key === 'list' || key === 'jmesPath') && typeof inner === 'string' && !inner.includes('{{')
    if (bare && inner !== '') expressionAt(inner, at, fail)
    checkTexts(key, path, fail)
    checkTexts(inner, at, fail)
  }
}

/** A variable inside of another one: braces are left where those that are found have been taken out. */
function nested(text: string, found: readonly Found[]): boolean {
  const parts = found.map(({ end }, index) => text.slice(end, found[index + 1]?.start))
  const outside = [text.slice(0, found[0]?.start), ...parts].join('x')
  return outside.includes('{{') && outside.includes('}}')
}

function expressionAt(text: string, path: FieldPath, fail: Fail): void {
  try {
    readExpression(text)
  } catch (error) {
    if (error instanceof Error && error.name === 'ExpressionError') fail(path, `{{ ${text} }}: ${error.message}`)
    throw error
  }
}
