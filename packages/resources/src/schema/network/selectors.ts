import { quote } from '../../diagnostics.js'
import { labelValue } from '../gateway-api/forms.js'
import { isLabelKey, isLabelValue } from '../names.js'
import type { At, ObjectSchema } from '../schema.js'
import { list, map, object, string } from '../schema.js'
import { isObject } from './values.js'

/* Label selectors that choose pods of a network policy. Source: apimachinery's ValidateLabelSelector, which Cilium calls too. */

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

const NOT_A_KEY = 'is not a label key that Kubernetes takes'

/** In a NetworkPolicy. */
export const labelSelector: ObjectSchema = selectorOf(
  map(string({ check: checkValue }), { check: (labels, at) => checkKeys(labels, at, (key) => key) }),
  (key) => key,
)

/**
 * In Cilium's rules, where a key may begin with its source: `k8s:app`, `reserved:host`, `any:app`.
 */
export const ciliumSelector: ObjectSchema = selectorOf(
  map(labelValue, { check: (labels, at) => checkKeys(labels, at, withoutSource) }),
  withoutSource,
)

/** `app` of `k8s:app`. */
export function withoutSource(key: string): string {
  return key.slice(key.indexOf(':') + 1)
}

function selectorOf(matchLabels: ReturnType<typeof map>, bare: (key: string) => string): ObjectSchema {
  return object({
    matchLabels,
    matchExpressions: list(
      object(
        { key: string(), operator: string({ oneOf: OPERATORS }), values: list(string()) },
        { required: ['key', 'operator'], check: (fields, at) => checkExpression(fields, at, bare) },
      ),
    ),
  })
}

function checkExpression(fields: Readonly<Record<string, unknown>>, at: At, bare: (key: string) => string): void {
  const { key, operator } = fields
  const values: unknown[] = Array.isArray(fields.values) ? fields.values : []
  if (typeof key === 'string' && !isLabelKey(bare(key))) at.at('key').error('label.form', `${quote(key)} ${NOT_A_KEY}`)
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    at.error('selector.values', `${operator} needs values to compare the label ${quote(key)} with`)
  } else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    at.at('values').error(
      'selector.values',
      `${operator} takes no values; it only asks whether the label ${quote(key)} is there`,
    )
  }
  for (const [index, value] of values.entries())
    if (typeof value === 'string') checkValue(value, at.at('values', index))
}

function checkKeys(labels: Readonly<Record<string, unknown>>, at: At, bare: (key: string) => string): void {
  for (const key of Object.keys(labels))
    if (!isLabelKey(bare(key))) at.at(key).error('label.form', `${quote(key)} ${NOT_A_KEY}`)
}

function checkValue(value: string, at: At): void {
  if (!isLabelValue(value))
    at.error(
      'label.form',
      `${quote(value)} is not a label's value: at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends`,
    )
}

/** Every key that a selector asks for, with the way to it. */
export function keysOf(selector: unknown): { key: string; values: readonly unknown[]; path: (string | number)[] }[] {
  if (!isObject(selector)) return []
  const labels = isObject(selector.matchLabels) ? Object.entries(selector.matchLabels) : []
  const expressions: unknown[] = Array.isArray(selector.matchExpressions) ? selector.matchExpressions : []
  return [
    ...labels.map(([key, value]) => ({ key, values: [value], path: ['matchLabels', key] })),
    ...expressions.flatMap((one, index) =>
      isObject(one) && typeof one.key === 'string'
        ? [
            {
              key: one.key,
              values: Array.isArray(one.values) ? (one.values as unknown[]) : [],
              path: ['matchExpressions', index],
            },
          ]
        : [],
    ),
  ]
}
