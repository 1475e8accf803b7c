/*
 * What a scalar means to Kubernetes. kubectl and the API server read YAML with the resolver of sigs.k8s.io/yaml
 * (go-yaml v2), which follows YAML 1.1 where it hurts most: `on` and `yes` are booleans, `0400` is octal. Reading
 * a manifest by YAML 1.2 would give other values than the cluster sees, so this follows the cluster.
 */

export type Scalar = string | number | boolean | null

const BOOLEANS = new Map<string, boolean>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
])
const NULLS = new Set(['', '~', 'null', 'Null', 'NULL'])
const FLOATS = new Map<string, number>([
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
])
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/
/** No number that Kubernetes reads is longer; it also bounds the work below. */
const LONGEST_NUMBER = 64

/** The value of an unquoted scalar without a tag. */
export function resolvePlain(source: string): Scalar {
  if (NULLS.has(source)) return null
  const bool = BOOLEANS.get(source)
  if (bool !== undefined) return bool
  const special = FLOATS.get(source)
  if (special !== undefined) return special
  if (source.length > LONGEST_NUMBER || !/^[-+.0-9]/.test(source)) return source
  const digits = source.startsWith('.') ? source : source.replaceAll('_', '')
  return integer(digits) ?? (FLOAT.test(digits) ? Number(digits) : source)
}

function integer(digits: string): number | undefined {
  const match = INTEGER.exec(digits)
  if (match === null) return undefined
  const [, sign, hex, binary, octal, decimal] = match
  const size =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : binary !== undefined
        ? Number.parseInt(binary, 2)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : Number(decimal)
  return sign === '-' && size !== 0 ? -size : size
}

const TAG = 'tag:yaml.org,2002:'

/** The value of a scalar with a tag (`!!str 8080`). `undefined`: the tag does not fit, or is none that Kubernetes reads. */
export function resolveTagged(tag: string, source: string): Scalar | undefined {
  if (tag === '!' || tag === `${TAG}str`) return source
  const value = resolvePlain(source)
  if (tag === `${TAG}null`) return value === null ? null : undefined
  if (tag === `${TAG}bool`) return typeof value === 'boolean' ? value : undefined
  if (tag === `${TAG}float`) return typeof value === 'number' ? value : undefined
  if (tag === `${TAG}int`) return typeof value === 'number' && Number.isInteger(value) ? value : undefined
  return undefined
}
