import { field, isDict, isList, pairsOf, textOf, textsOf } from '../data.js'
import { hasWildcard, wildcardMatches } from '../values/wildcard.js'

type Labels = Readonly<Record<string, string>>

/** A label selector as Kyverno reads it: keys and values of matchLabels may hold wildcards. */
export function selectorFits(selector: unknown, labels: Labels): boolean {
  if (!isDict(selector)) return false
  const wanted = Object.entries(pairsOf(selector.matchLabels))
  if (!wanted.every(([key, value]) => pairFits(key, value, labels))) return false
  const { matchExpressions } = selector
  return !isList(matchExpressions) || matchExpressions.every((one) => requirementFits(one, labels))
}

function pairFits(key: string, value: string, labels: Labels): boolean {
  if (!hasWildcard(key) && !hasWildcard(value)) return Object.hasOwn(labels, key) && labels[key] === value
  return Object.entries(labels).some(([name, given]) => wildcardMatches(key, name) && wildcardMatches(value, given))
}

function requirementFits(requirement: unknown, labels: Labels): boolean {
  const key = textOf(field(requirement, 'key')) ?? ''
  const values = textsOf(field(requirement, 'values'))
  const present = Object.hasOwn(labels, key)
  const listed = present && values.includes(labels[key] ?? '')
  switch (field(requirement, 'operator')) {
    case 'In':
      return listed
    case 'NotIn':
      return !listed
    case 'Exists':
      return present
    case 'DoesNotExist':
      return !present
    default:
      return false
  }
}

/** Each pair of the pattern is to be found, wildcards in its key and value. */
export function annotationsFit(wanted: unknown, annotations: Labels): boolean {
  return Object.entries(pairsOf(wanted)).every(([key, value]) =>
    Object.entries(annotations).some(([name, given]) => wildcardMatches(key, name) && wildcardMatches(value, given)),
  )
}
