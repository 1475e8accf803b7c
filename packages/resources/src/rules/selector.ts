import { quote, type Report } from '../diagnostics.js'
import type { LabelSelector } from '../kinds.js'
import { checkLabels } from '../schema/metadata.js'
import { isLabelKey } from '../schema/names.js'
import { didYouMean } from '../suggest.js'
import type { FieldPath } from '../types.js'

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist']

/** A label selector, as meta/v1 has it. Its operators and values are no part of the schema. */
export function checkSelector(selector: LabelSelector, path: FieldPath, report: Report): void {
  checkLabels(selector.matchLabels ?? {}, [...path, 'matchLabels'], report)
  for (const [index, { key, operator, values }] of (selector.matchExpressions ?? []).entries()) {
    const at = [...path, 'matchExpressions', index]
    if (!isLabelKey(key))
      report('error', 'label.form', [...at, 'key'], `the label key ${quote(key)} is not one that Kubernetes takes`)
    const count = values?.length ?? 0
    if (!OPERATORS.includes(operator)) {
      report(
        'error',
        'selector.operator',
        [...at, 'operator'],
        `the operator ${quote(operator)} is none of ${OPERATORS.join(', ')}${didYouMean(operator, OPERATORS)}`,
      )
    } else if ((operator === 'In' || operator === 'NotIn') && count === 0) {
      report('error', 'selector.values', at, `${operator} needs values to compare the label ${quote(key)} with`)
    } else if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0) {
      report(
        'error',
        'selector.values',
        [...at, 'values'],
        `${operator} takes no values; it only asks whether the label ${quote(key)} is there`,
      )
    }
  }
}
