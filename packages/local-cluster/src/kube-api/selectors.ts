import { badRequest } from './status.js'
import type { ApiObject } from './types.js'

export type Matches = (object: ApiObject) => boolean

export interface FieldRequirement {
  readonly field: string
  readonly equal: boolean
  readonly value: string
}

const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$/
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/
const MAX_SELECTOR = 8192

/** One part of a label selector: `a`, `!a`, `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a>1`, `a<1`. */
const PART =
  /^\s*(?:(?<not>!)\s*(?<absent>[^\s!=,()<>]+)|(?<key>[^\s!=,()<>]+)(?:\s*(?<op>==|=|!=|>|<)\s*(?<value>[^\s!=,()<>]*)|\s+(?<set>in|notin)\s*\((?<values>[^()]*)\))?)\s*$/

/**
 * A label selector as it stands in a query.
 *
 * @throws ApiStatus 400
 */
export function labelSelector(text: string): Matches {
  const bad = (why: string) => badRequest(`unable to parse requirement: ${why}`)
  if (text.length > MAX_SELECTOR) throw bad(`a selector of ${text.length} characters is too long`)
  if (text.trim() === '') return () => true
  const checks = splitOutside(text).map((part) => labelPart(part, bad))
  return (object) => checks.every((check) => check(object.metadata.labels ?? {}))
}

function labelPart(part: string, bad: (why: string) => Error): (labels: Readonly<Record<string, string>>) => boolean {
  const { not, absent, key = absent, op, value = '', set, values } = PART.exec(part)?.groups ?? {}
  if (key === undefined)
    throw bad(`found ${JSON.stringify(part.slice(0, 100))}, expected: a label with =, !=, in, notin, or alone`)
  if (!LABEL_KEY.test(key)) throw bad(`${JSON.stringify(key.slice(0, 100))} is not a label's name`)
  const wanted = set === undefined ? [value] : (values ?? '').split(',').map((one) => one.trim())
  const broken = wanted.find((one) => !LABEL_VALUE.test(one))
  if (broken !== undefined) throw bad(`${JSON.stringify(broken.slice(0, 100))} is not a label's value`)
  const has = (labels: Readonly<Record<string, string>>) => (Object.hasOwn(labels, key) ? labels[key] : undefined)
  if (not !== undefined) return (labels) => has(labels) === undefined
  if (set === 'notin' || op === '!=') return (labels) => !wanted.includes(has(labels) ?? '\n')
  if (op === '>' || op === '<') {
    if (!/^-?\d{1,15}$/.test(value)) throw bad(`${JSON.stringify(value)} is not a whole number`)
    return (labels) => {
      const found = has(labels) ?? ''
      return /^-?\d{1,15}$/.test(found) && (op === '>' ? Number(found) > Number(value) : Number(found) < Number(value))
    }
  }
  if (set === undefined && op === undefined) return (labels) => has(labels) !== undefined
  return (labels) => wanted.includes(has(labels) ?? '\n')
}

/** At the commas that are in no parentheses. */
function splitOutside(text: string): readonly string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const letter of text) {
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (letter === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts
}

/** `a=b,c!=d`. @throws ApiStatus 400 */
export function fieldRequirements(text: string): readonly FieldRequirement[] {
  if (text.length > MAX_SELECTOR) throw badRequest(`a field selector of ${text.length} characters is too long`)
  return text.split(',').flatMap((part) => {
    if (part.trim() === '') return []
    const { field, op, value } = /^(?<field>[^=!]+)(?<op>==|=|!=)(?<value>.*)$/s.exec(part)?.groups ?? {}
    if (field === undefined || value === undefined)
      throw badRequest(
        `invalid selector: ${JSON.stringify(part.slice(0, 100))}; can't understand ${JSON.stringify(part.slice(0, 100))}`,
      )
    return [{ field: field.trim(), equal: op !== '!=', value: value.trim() }]
  })
}

type Read = (object: ApiObject) => string

const fields: Readonly<Record<ApiObject['kind'], ReadonlyMap<string, Read>>> = {
  Pod: new Map<string, Read>([
    ['metadata.name', ({ metadata }) => metadata.name],
    ['metadata.namespace', ({ metadata }) => metadata.namespace ?? ''],
    ['spec.nodeName', ({ spec }) => text(spec, 'nodeName')],
    ['spec.restartPolicy', ({ spec }) => text(spec, 'restartPolicy')],
    ['spec.schedulerName', ({ spec }) => text(spec, 'schedulerName')],
    ['spec.serviceAccountName', ({ spec }) => text(spec, 'serviceAccountName')],
    ['spec.hostNetwork', ({ spec }) => String('hostNetwork' in spec && spec.hostNetwork === true)],
    ['status.phase', ({ status }) => text(status, 'phase')],
    ['status.podIP', ({ status }) => text(status, 'podIP')],
    ['status.nominatedNodeName', () => ''],
  ]),
  Node: new Map<string, Read>([
    ['metadata.name', ({ metadata }) => metadata.name],
    ['spec.unschedulable', () => 'false'],
  ]),
}

function text(of: object, name: string): string {
  const value = (of as Readonly<Record<string, unknown>>)[name]
  return typeof value === 'string' ? value : ''
}

/**
 * A field selector: of the fields that Kubernetes lets select by, and no others.
 *
 * @throws ApiStatus 400
 */
export function fieldSelector(selector: string, kind: ApiObject['kind']): Matches {
  const checks = fieldRequirements(selector).map(({ field, equal, value }): Matches => {
    const read = fields[kind].get(field)
    if (read === undefined) throw badRequest(`field label not supported: ${field}`)
    return (object) => (read(object) === value) === equal
  })
  return (object) => checks.every((check) => check(object))
}
