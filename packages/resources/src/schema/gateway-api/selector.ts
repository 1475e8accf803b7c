import { quote } from '../../diagnostics.js'
import { didYouMean } from '../../suggest.js'
import { list, map, object, string } from '../schema.js'

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/**
 * A label selector inside of a custom resource: the API server looks at its shape alone, and one with an operator that
 * there is not, or without the values that it needs, is read as one that selects nothing (LabelSelectorAsSelector).
 */
export const selector = object({
  matchLabels: map(string()),
  matchExpressions: list(
    object(
      { key: string(), operator: string(), values: list(string()) },
      {
        required: ['key', 'operator'],
        check: ({ operator, values }, at) => {
          if (typeof operator !== 'string') return
          const some = Array.isArray(values) && values.length > 0
          if (!OPERATORS.includes(operator)) {
            at.at('operator').warn(
              'selector.operator',
              `the operator ${quote(operator)} is none of ${OPERATORS.join(', ')}, so nothing is selected${didYouMean(operator, OPERATORS)}`,
            )
          } else if (operator.endsWith('In') !== some) {
            at.warn('selector.values', `${operator} ${some ? 'takes no' : 'needs'} values, so nothing is selected`)
          }
        },
      },
    ),
  ),
})
