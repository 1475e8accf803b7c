import { checkConditions, joined } from '../conditions/conditions.js'
import { type Dict, isDict, isList, textOf } from '../data.js'
import { NotModelled } from '../limits.js'
import { matchPattern } from '../pattern/match-pattern.js'
import { pathText } from '../pattern/problem.js'
import type { Rule, RuleAnswer, Scene } from '../types.js'
import type { Context } from '../variables/context.js'
import { QueryError } from '../variables/interpreter.js'
import { substitute } from '../variables/substitute.js'
import { celRule } from './cel.js'
import { entriesOf } from './entries.js'
import { anyPatternMessage, denyMessage, patternMessage } from './messages.js'
import { podSecurityRule } from './pod-security.js'

/*
 * validate: one of pattern, anyPattern, deny and foreach, on the object or on one element of it.
 */

/** Where a check stands: in the rule itself, or in one of its foreach. */
interface Check {
  readonly rule: Rule
  readonly message: string
  /** The fields pattern, anyPattern, deny, foreach. */
  readonly body: Dict
  readonly context: Context
  /** What patterns are held against; undefined: the object. */
  readonly element: unknown
  readonly nesting: number
}

const none: RuleAnswer = { status: 'none', message: '' }

export function validateRule(rule: Rule, scene: Scene): RuleAnswer {
  const body = isDict(rule.body.validate) ? rule.body.validate : {}
  if (body.cel !== undefined) return celRule(rule, scene)
  if (body.podSecurity !== undefined) return podSecurityRule(rule, scene)
  for (const one of ['manifests', 'assert'])
    if (body[one] !== undefined) throw new NotModelled(`validate.${one} of the rule ${rule.name}`)
  const message = textOf(body.message) ?? ''
  return check({ rule, message, body, context: scene.context, element: undefined, nesting: 0 }, scene)
}

function check(one: Check, scene: Scene): RuleAnswer {
  const { rule, body, context } = one
  if (body.deny !== undefined) return deny(one)
  if (body.pattern !== undefined || body.anyPattern !== undefined) {
    const patterns = attempt('variable substitution failed', () => substitute(body.pattern ?? body.anyPattern, context))
    if (patterns.failed !== undefined) return patterns.failed
    // Of a DELETE there is nothing that a pattern could be held against.
    if (one.element === undefined && scene.object === null) return none
    const value = one.element ?? scene.object
    if (body.pattern !== undefined) return pattern(one, value, patterns.value)
    return anyPattern(one, value, patterns.value)
  }
  if (isList(body.foreach)) return foreach(one, body.foreach, scene)
  return { status: 'none', message: `rule ${rule.name} holds nothing to validate` }
}

type Attempt = { readonly failed: RuleAnswer } | { readonly failed?: undefined; readonly value: unknown }

/** What fails is an error of the rule, in Kyverno's words. */
export function attempt(what: string, does: () => unknown): Attempt {
  try {
    return { value: does() }
  } catch (error) {
    if (error instanceof QueryError) return { failed: { status: 'error', message: `${what}: ${error.message}` } }
    throw error
  }
}

function deny({ rule, message, body, context }: Check): RuleAnswer {
  const conditions = isDict(body.deny) ? body.deny.conditions : undefined
  try {
    // Without conditions everything is denied.
    const { holds, message: more } = checkConditions(conditions, context)
    if (!holds) return { status: 'pass', message: `validation rule '${rule.name}' passed.` }
    return { status: 'fail', message: denyMessage(rule.name, message, more, context) }
  } catch (error) {
    if (error instanceof QueryError)
      return { status: 'error', message: `failed to check deny conditions: ${error.message}` }
    throw error
  }
}

function pattern({ rule, message, context }: Check, value: unknown, wanted: unknown): RuleAnswer {
  const { outcome, text, path } = matchPattern(value, wanted, context.budget)
  if (outcome === 'pass') return { status: 'pass', message: `validation rule '${rule.name}' passed.` }
  if (outcome === 'skip') return { status: 'skip', message: text }
  const said = patternMessage(rule.name, message, path, text, context)
  return { status: outcome, message: said, ...(path !== undefined && { path }) }
}

function anyPattern({ rule, message, context }: Check, value: unknown, patterns: unknown): RuleAnswer {
  const [failed, skipped]: [string[], string[]] = [[], []]
  let where: readonly (string | number)[] | undefined
  for (const [index, wanted] of (isList(patterns) ? patterns : []).entries()) {
    const { outcome, text, path } = matchPattern(value, wanted, context.budget)
    if (outcome === 'pass')
      return { status: 'pass', message: `validation rule '${rule.name}' anyPattern[${index}] passed.` }
    if (outcome === 'skip') skipped.push(`rule ${rule.name}[${index}] skipped: ${text}`)
    else {
      failed.push(
        `rule ${rule.name}[${index}] failed${path === undefined ? `: ${text}` : ` at path ${pathText(path)}`}`,
      )
      where ??= path
    }
  }
  if (failed.length > 0)
    return {
      status: 'fail',
      message: anyPatternMessage(rule.name, message, failed, context),
      ...(where !== undefined && { path: where }),
    }
  return skipped.length > 0 ? { status: 'skip', message: skipped.join(' ') } : { status: 'pass', message }
}

function foreach(one: Check, loops: readonly unknown[], scene: Scene): RuleAnswer {
  let applied = 0
  let unlisted: RuleAnswer | undefined
  for (const loop of loops.filter(isDict)) {
    const listed = attempt('failed to evaluate list', () => elementsOf(textOf(loop.list) ?? '', one.context))
    if (listed.failed !== undefined) {
      // A field that is not there is a list without elements.
      if (!listed.failed.message.includes('Unknown key')) unlisted = listed.failed
      continue
    }
    const answer = elements(one, loop, isList(listed.value) ? listed.value : [], scene)
    if (answer.status !== 'pass') return answer
    applied += answer.applied
  }
  if (applied === 0) return unlisted ?? none
  return { status: 'pass', message: 'rule passed' }
}

export function elementsOf(list: string, context: Context): readonly unknown[] {
  const found = context.query(list)
  return isList(found) ? found : [found]
}

function elements(
  one: Check,
  loop: Dict,
  items: readonly unknown[],
  scene: Scene,
): RuleAnswer & { readonly applied: number } {
  let applied = 0
  for (const [index, item] of items.entries()) {
    if (item === null || item === undefined) continue
    const answer = element(one, loop, item, index, scene)
    if (answer.status === 'none' || answer.status === 'skip') continue
    if (answer.status === 'error' && answer.message.includes('failed to evaluate preconditions')) continue
    if (answer.status !== 'pass') return { ...answer, message: `validation failure: ${answer.message}`, applied }
    applied++
  }
  return { status: 'pass', message: '', applied }
}

function element(one: Check, loop: Dict, item: unknown, index: number, scene: Scene): RuleAnswer {
  const scoped = loop.elementScope ?? isDict(item)
  if (scoped === true && !isDict(item))
    return {
      status: 'error',
      message:
        'failed to process foreach: cannot use elementScope=true foreach rules for elements that are not maps, expected type=map',
    }
  const own = entriesOf(loop.context, scene.review, scene.policy.namespace)
  const context = one.context.with(elementData(item, index, one.nesting), own)
  const unmet = preconditions(loop.preconditions, context)
  if (unmet !== undefined) return unmet
  const inner = { ...one, body: loop, context, nesting: one.nesting + 1 }
  return check({ ...inner, element: scoped === true ? item : one.element }, scene)
}

/** undefined: they are met. */
export function preconditions(conditions: unknown, context: Context): RuleAnswer | undefined {
  try {
    const { holds, message } = checkConditions(conditions, context)
    return holds ? undefined : { status: 'skip', message: joined(['preconditions not met', message], '; ') }
  } catch (error) {
    if (error instanceof QueryError)
      return { status: 'error', message: `failed to evaluate preconditions: ${error.message}` }
    throw error
  }
}

export function elementData(element: unknown, index: number, nesting: number): Dict {
  return { element, [`element${nesting}`]: element, elementIndex: index, [`elementIndex${nesting}`]: index }
}
