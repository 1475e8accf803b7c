import { readdirSync, readFileSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import { join, resolve } from 'node:path'
import { parseYaml } from '@bulkhead/resources/yaml'
import { Budget, compileCel, isCelError } from '@bulkhead/verdict/cel'
import { Ajv, type ValidateFunction } from 'ajv'

/*
 * CustomResourceDefinitions as data, and what the API server holds an object against by them: the OpenAPI schema with its
 * defaults filled in, fields that it does not have, keys of lists that are maps, and the expressions.
 * fixtures/definitions has them; docs/decisions/0059-manifests-held-against-definitions.md says where from.
 */

const folder = resolve(import.meta.dirname, '../../fixtures/definitions')

/** As much of a structural schema as is looked at here; ajv reads the rest. */
interface Schema {
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
  readonly type?: string
  readonly nullable?: boolean
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message?: string }[]
}

export interface Definition {
  readonly group: string
  readonly kind: string
  readonly version: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly schema: Schema
}

/** Where a project's definitions were read, and which version they say the same as. */
export interface Source {
  readonly from: string
  readonly is: string
  readonly kinds: Readonly<Record<string, string>>
}

const read = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T

export const sources: Readonly<Record<string, Source>> = read('sources.json')

/** By `group/version Kind`. */
export const definitions: ReadonlyMap<string, Definition> = new Map(
  readdirSync(folder)
    .filter((name) => name !== 'sources.json')
    .map((name) => read<Definition>(name))
    .map((definition) => [`${definition.group}/${definition.version} ${definition.kind}`, definition]),
)

interface Written {
  readonly apiVersion: string
  readonly kind: string
}

/** What is refused of everything in a text that is somebody else's than Kubernetes', `Kind: what` each. Argo CD's kinds are not at hand. */
export function refusedIn(text: string): readonly string[] {
  const { documents, problems } = parseYaml(text)
  const objects = documents.flatMap(({ value }) => (value === null ? [] : [value as Written]))
  return [
    ...problems.map(({ message }) => message),
    ...objects.filter(isDefined).flatMap((object) => {
      const definition = definitions.get(`${object.apiVersion} ${object.kind}`)
      if (definition === undefined) return [`no definition of ${object.apiVersion} ${object.kind}`]
      return refusals(definition, object).map((said) => `${object.kind}: ${said}`)
    }),
  ]
}

/** Whether the kind is of a project whose definitions are at hand. */
export const isDefined = ({ apiVersion }: Pick<Written, 'apiVersion'>): boolean =>
  [...definitions.values()].some(({ group }) => apiVersion.startsWith(`${group}/`))

type Place = readonly (string | number)[]

/** What the API server would refuse of an object, each with its place; nothing when it takes it. */
export function refusals(definition: Definition, object: object): readonly string[] {
  // Expressions see what defaults have filled in, and the validator fills them into what it is given.
  const filled: unknown = structuredClone(object)
  withoutNulls(definition.schema, filled, definition.schema)
  const validate = validatorOf(definition)
  const found = validate(filled)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message, params }) => `${instancePath} ${message} ${shown(params)}`)
  walk(definition.schema, filled, [], definition.schema, (place, said) => {
    found.push(`${place.map((step) => `/${step}`).join('')} ${said}`)
  })
  return found
}

const shown = (params: object): string => Object.values(params).map(String).join(' ')

const validators = new Map<Definition, ValidateFunction>()

function validatorOf(definition: Definition): ValidateFunction {
  const known = validators.get(definition) ?? new Ajv(options).compile(definition.schema)
  validators.set(definition, known)
  return known
}

/** RE2's class of all but control characters; JavaScript has it under another name, and in Unicode's mode alone. */
const regExp = Object.assign(
  (pattern: string) =>
    pattern.includes('\\PC') ? new RegExp(pattern.replaceAll('\\PC', '\\P{C}'), 'u') : new RegExp(pattern),
  { code: 'regExp' },
)

const options = {
  strict: false,
  allErrors: true,
  useDefaults: true,
  code: { regExp },
  formats: {
    int32: { type: 'number', validate: (value: number) => value === (value | 0) },
    ipv4: isIPv4,
    ipv6: isIPv6,
    cidr: (value: string) => {
      const [address = '', bits = ''] = value.split('/')
      return /^\d+$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1)
    },
    'date-time': (value: string) => !Number.isNaN(Date.parse(value)),
    // No format that the API server knows, and so nothing that it asks.
    'idn-hostname': true,
  },
} as const

type Refuse = (place: Place, said: string) => void

const resolved = (schema: Schema, root: Schema): Schema =>
  schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? schema)

const isSchema = (schema: Schema | boolean | undefined): schema is Schema => typeof schema === 'object'

/** A field that is null and may not be is no field; an entry of a list stays, and is refused. */
function withoutNulls(given: Schema, value: unknown, root: Schema): void {
  const { items, properties = {}, additionalProperties } = resolved(given, root)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    if (items !== undefined) for (const item of value) withoutNulls(items, item, root)
    return
  }
  for (const [name, item] of Object.entries(value)) {
    const below = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (!isSchema(below)) continue
    if (item === null && resolved(below, root).nullable !== true) Reflect.deleteProperty(value, name)
    else withoutNulls(below, item, root)
  }
}

/** What no validator of JSON Schema knows. */
function walk(given: Schema, value: unknown, place: Place, root: Schema, refuse: Refuse): void {
  const schema = resolved(given, root)
  if (value === undefined || value === null) return
  if (Array.isArray(value)) {
    checkKeys(schema, value, place, refuse)
    if (schema.items !== undefined)
      for (const [index, item] of value.entries()) walk(schema.items, item, [...place, index], root, refuse)
  } else if (typeof value === 'object') walkFields(schema, value, place, root, refuse)
  for (const { rule, message = rule } of schema['x-kubernetes-validations'] ?? []) {
    const outcome = evaluate(rule, value)
    if (outcome !== true) refuse(place, outcome === false ? message : `${outcome}, in ${rule}`)
  }
}

/** Fields that a definition need not have; packages/resources reads them. */
const everyObjects = ['apiVersion', 'kind', 'metadata']

function walkFields(schema: Schema, value: object, place: Place, root: Schema, refuse: Refuse): void {
  const { properties = {}, additionalProperties, 'x-kubernetes-preserve-unknown-fields': isOpen } = schema
  for (const [name, item] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined
    const below = own ?? (isSchema(additionalProperties) ? additionalProperties : undefined)
    if (place.length === 0 && everyObjects.includes(name)) continue
    if (below !== undefined) walk(below, item, [...place, name], root, refuse)
    else if (isOpen !== true && additionalProperties !== true) refuse(place, `unknown field "${name}"`)
  }
}

function checkKeys(schema: Schema, items: readonly unknown[], place: Place, refuse: Refuse): void {
  const { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys = [] } = schema
  if (type !== 'map' && type !== 'set') return
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = JSON.stringify(
      type === 'set' ? item : keys.map((name) => (item as Readonly<Record<string, unknown>> | null)?.[name]),
    )
    if (seen.has(key)) refuse([...place, index], `duplicate ${key}`)
    seen.add(key)
  }
}

const roots = new Map([['self', 'dyn'] as const])

/** An API server writes a field that is one of CEL's reserved words between underlines. */
function evaluate(rule: string, self: unknown): unknown {
  try {
    const program = compileCel(rule.replaceAll('__namespace__', 'namespace'), { roots, mixed: true })
    if (program.notModelled.length > 0) return `not modelled: ${program.notModelled.join(', ')}`
    return program.evaluate({ roots: new Map([['self', self]]), budget: new Budget() })
  } catch (error) {
    if (isCelError(error)) return `error: ${error.message}`
    throw error
  }
}
