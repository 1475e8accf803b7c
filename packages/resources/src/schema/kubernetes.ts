import { createRequire } from 'node:module'
import { quote, type Report } from '../diagnostics.js'
import type { FieldPath } from '../types.js'
import { pathText } from '../yaml/positions.js'
import { track } from './tracked.js'
import { typeMessage, unknownMessage, type Written } from './validate.js'

/*
 * The schemas of Kubernetes' own kinds, from kubernetes-models: one module per kind, generated from the API's OpenAPI
 * document. A kind's module is loaded when its first object is read.
 */

const require = createRequire(import.meta.url)

/** The shape in which the library throws: ajv's errors. */
interface SchemaError {
  readonly instancePath: string
  readonly keyword: string
  readonly params: Readonly<Record<string, unknown>>
}

interface Model {
  readonly apiVersion: string
  readonly kind: string
  readonly prototype: { validate(this: unknown): void }
}

const models = new Map<string, Model | undefined>()

function modelOf(apiVersion: string, kind: string): Model | undefined {
  // Both become part of a module's name.
  if (
    !/^([a-z0-9]+(\.[a-z0-9]+)*\/)?v[0-9]+((alpha|beta)[0-9]+)?$/.test(apiVersion) ||
    !/^[A-Z][A-Za-z0-9]*$/.test(kind)
  )
    return undefined
  const name = `${apiVersion}/${kind}`
  if (!models.has(name)) models.set(name, load(name, apiVersion, kind))
  return models.get(name)
}

function load(name: string, apiVersion: string, kind: string): Model | undefined {
  try {
    const module = require(`kubernetes-models/${name}`) as Record<string, Model | undefined>
    const model = module[kind]
    // Parts of objects (PodSpec) have modules too, but no kind.
    return model?.kind === kind && model.apiVersion === apiVersion ? model : undefined
  } catch (error) {
    const code = (error as { code?: unknown }).code
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined
    throw error
  }
}

export const hasKubernetesSchema = (apiVersion: string, kind: string): boolean =>
  modelOf(apiVersion, kind) !== undefined

/** Holds an object against the schema of its kind, unknown fields included. `hasKubernetesSchema` must have said yes. */
export function validateKubernetes(
  object: object,
  apiVersion: string,
  kind: string,
  report: Report,
  written: Written,
): void {
  const model = modelOf(apiVersion, kind)
  if (model === undefined) throw new Error(`no schema for ${apiVersion} ${kind}`)
  const tracked = track(object)
  try {
    model.prototype.validate.call(tracked.view)
  } catch (error) {
    const { errors } = error as { errors?: readonly SchemaError[] }
    if (!Array.isArray(errors)) throw error
    reportErrors(object, errors, report, written)
  }
  for (const { path, name, known } of tracked.unknownFields()) {
    report('error', 'field.unknown', [...path, name], unknownMessage(name, path, known))
  }
}

/** One sentence per place: a field that may be a string or an integer fails both schemas, and the choice between them. */
function reportErrors(object: object, errors: readonly SchemaError[], report: Report, written: Written): void {
  const types = new Map<string, Set<string>>()
  for (const { keyword, instancePath, params } of errors) {
    if (keyword !== 'type') continue
    const wanted = types.get(instancePath) ?? new Set()
    for (const type of [params.type].flat()) wanted.add(String(type))
    types.set(instancePath, wanted)
  }
  for (const [pointer, wanted] of types) {
    const { path, value } = resolve(object, pointer)
    const names = [...wanted].map((type) => typeNames[type] ?? type)
    report('error', 'field.type', path, typeMessage(value, names.join(' or '), path, written))
  }
  for (const { keyword, instancePath, params } of errors) {
    const { path, value } = resolve(object, instancePath)
    const name = pathText(path)
    if (keyword === 'required') {
      const missing = pathText([...path, String(params.missingProperty)])
      report('error', 'field.missing', path, `${missing} is missing, and must be set`)
    } else if (keyword === 'enum') {
      const allowed = Array.isArray(params.allowedValues) ? params.allowedValues.join(', ') : ''
      report('error', 'field.value', path, `${name} is ${quote(value)}, and must be one of ${allowed}`)
    } else if (keyword === 'format') {
      const format = String(params.format)
      const what = FORMATS[format] ?? format
      report('error', 'field.value', path, `${name} is ${written(path) ?? quote(value)}, which is no ${what}`)
    } else if (!types.has(instancePath)) {
      report('error', 'field.value', path, `${name} is ${quote(value)}, which the schema refuses (${keyword})`)
    }
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  int32: 'whole number of 32 bits',
  int64: 'whole number of 64 bits',
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
}

/** A JSON pointer to a path and the value there. */
function resolve(root: unknown, pointer: string): { path: FieldPath; value: unknown } {
  const path: (string | number)[] = []
  let value = root
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    const step = Array.isArray(value) ? Number(name) : name
    path.push(step)
    value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined
  }
  return { path, value }
}
