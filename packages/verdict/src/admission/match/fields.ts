import type { LabelSelector } from '@bulkhead/resources'

/*
 * Reading a policy's fields, which may be any YAML: what is not of the kind that is wanted is not there. The reader of
 * manifests has told its mistakes before.
 */

export type Fields = Readonly<Record<string, unknown>>

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function field(value: unknown, ...path: readonly string[]): unknown {
  let current = value
  for (const name of path) {
    const here = fields(current)
    if (!Object.hasOwn(here, name)) return undefined
    current = here[name]
  }
  return current
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function texts(value: unknown): readonly string[] {
  return list(value).filter((item) => typeof item === 'string')
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

/** `undefined` where there is none, or where it asks for nothing. */
export function selector(value: unknown): LabelSelector | undefined {
  const matchLabels = labelsOf(field(value, 'matchLabels'))
  const matchExpressions = list(field(value, 'matchExpressions')).flatMap((one) => {
    const [key, operator] = [text(field(one, 'key')), field(one, 'operator')]
    const known = operators.find((name) => name === operator)
    return key === undefined || known === undefined
      ? []
      : [{ key, operator: known, values: texts(field(one, 'values')) }]
  })
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) return undefined
  return { matchLabels, matchExpressions }
}

export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}
