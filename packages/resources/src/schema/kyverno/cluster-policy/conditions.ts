import { quote } from '../../../diagnostics.js'
import { type Fields, isObject, isSet } from '../../../plain.js'
import { didYouMean } from '../../../suggest.js'
import type { At, ObjectSchema } from '../../schema.js'
import { list, object, open, string } from '../../schema.js'

/* preconditions and deny conditions. Source: Kyverno's CustomResourceDefinitions and its webhook for policies. */

const CURRENT = [
  ...['Equals', 'NotEquals', 'AnyIn', 'AllIn', 'AnyNotIn', 'AllNotIn'],
  ...['GreaterThanOrEquals', 'GreaterThan', 'LessThanOrEquals', 'LessThan'],
  ...['DurationGreaterThanOrEquals', 'DurationGreaterThan', 'DurationLessThanOrEquals', 'DurationLessThan'],
]
/** As kyverno.io/v1 has them: In and NotIn are read, and are no more in what came after. */
const INSTEAD: Readonly<Record<string, string>> = { In: 'AllIn or AnyIn', NotIn: 'AllNotIn or AnyNotIn' }
const V1 = [...CURRENT.slice(0, 2), 'In', 'AnyIn', 'AllIn', 'NotIn', 'AnyNotIn', 'AllNotIn', ...CURRENT.slice(6)]
/** Read where no schema looks: the engine takes them. */
const SINGULAR = ['Equal', 'NotEqual']

function checkOld(operator: string, at: At): void {
  if (Object.hasOwn(INSTEAD, operator))
    at.warn('condition.deprecated', `the operator ${operator} is deprecated; write ${INSTEAD[operator]}`)
}

const condition = (operators: readonly string[]): ObjectSchema =>
  object(
    { key: open, message: string(), operator: string({ oneOf: operators, check: checkOld }), value: open },
    { check: checkWhole },
  )

function checkWhole({ key, operator, value }: Fields, at: At): void {
  if (!isSet(key) || !isSet(operator) || !isSet(value))
    at.error('condition.incomplete', 'a condition needs key, operator and value')
}

/** `any` and `all` of conditions, as their definition holds them. */
const anyAll = (operators: readonly string[]): ObjectSchema =>
  object({ all: list(condition(operators)), any: list(condition(operators)) })

export const currentConditions = anyAll(CURRENT)
/** Of foreach, where the definition takes further fields beside any and all. */
export const foreachConditions = anyAll(V1)

/**
 * Conditions in a field that the definition leaves open (`preconditions`, `deny.conditions`): by their two keys, or a plain
 * list, the older form.
 */
export function checkOpenConditions(value: unknown, at: At): void {
  if (Array.isArray(value)) {
    at.warn('condition.list', 'a plain list of conditions is the older form; write all: in front of it')
    checkList(value, at)
  } else if (isObject(value)) {
    for (const [name, items] of Object.entries(value)) {
      if (name !== 'any' && name !== 'all')
        at.at(name).error(
          'condition.form',
          `conditions are any and all, and not ${quote(name)}${didYouMean(name, ['any', 'all'])}`,
        )
      else if (items !== null && !Array.isArray(items))
        at.at(name).error('field.type', 'must be a list of conditions, each with key, operator and value')
      else if (items !== null) checkList(items, at.at(name))
    }
  } else at.error('field.type', 'must be an object with any or all, each a list of conditions')
}

function checkList(items: readonly unknown[], at: At): void {
  for (const [index, item] of items.entries()) {
    const place = at.at(index)
    if (!isObject(item)) {
      place.error('field.type', 'a condition is an object with key, operator and value')
      continue
    }
    const { operator } = item
    for (const name of Object.keys(item))
      if (!['key', 'operator', 'value', 'message'].includes(name))
        place
          .at(name)
          .error('field.unknown', `unknown field ${quote(name)} in a condition; it takes key, operator, value, message`)
    checkWhole(item, place)
    if (typeof operator === 'string') {
      if (![...V1, ...SINGULAR].some((one) => one.toLowerCase() === operator.toLowerCase()))
        place
          .at('operator')
          .error(
            'condition.operator',
            `there is no operator ${quote(operator)}${didYouMean(operator, V1) || `; there are ${CURRENT.join(', ')}`}`,
          )
      else checkOld(operator, place.at('operator'))
    } else if (isSet(operator)) place.at('operator').error('field.type', 'the operator must be a string')
  }
}
