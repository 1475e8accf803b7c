import { z } from 'zod'
import type { Route } from '../../../http/route.js'

/** The way to a value in a body: `['labelSelectors', 0, 'key']`. */
export type Path = readonly (string | number)[]

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

const schemaOf = (schema: z.ZodType): Schema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema

/** Every field of an object, those of objects in lists too: what a caller can set. */
export function fieldsOf(schema: z.ZodType | undefined): readonly Path[] {
  return schema === undefined ? [] : below(schemaOf(schema), [])
}

function below({ properties = {}, items, anyOf = [] }: Schema, at: Path): Path[] {
  const found: Path[] = []
  for (const [name, schema] of Object.entries(properties)) found.push([...at, name], ...below(schema, [...at, name]))
  if (items !== undefined) found.push([...at, 0], ...below(items, [...at, 0]))
  for (const schema of anyOf) found.push(...below(schema, at))
  return found
}

/** As the answers name it: `labelSelectors[0].key`. */
export function nameOf(path: Path): string {
  let name = ''
  for (const part of path) name += typeof part === 'number' ? `[${part}]` : name === '' ? part : `.${part}`
  return name
}

/** Names of a body for what has another name, too, in the good bodies. */
const otherNames: Readonly<Record<string, string>> = { rolePolicy: 'rolePolicies' }

/** The body, with the field of this path under the name that the path has for it. */
export function spelled(good: object, [name]: Path): object {
  const other = otherNames[String(name)]
  if (other === undefined) return good
  return Object.fromEntries(Object.entries(good).map(([key, value]) => (key === other ? [name, value] : [key, value])))
}

const HERE = 'the value goes here'

/** The JSON text of a body with another value at one place; with nothing else changed. */
export function bodyWith(good: object, path: Path, json: string): string {
  const { body, at, last } = holderOf(good, path)
  at[last] = HERE
  // Not `replace` with a text: there, `$&` and the like mean something.
  return JSON.stringify(body).replace(JSON.stringify(HERE), () => json)
}

/** As the service reads a null there: a member that is null is as good as one that is missing (contract 1.2); in a list it is a null. */
export function bodyWithout(good: object, path: Path): object {
  const { body, at, last } = holderOf(good, path)
  if (typeof last === 'number') at[last] = null
  else delete at[last]
  return body
}

function holderOf(good: object, path: Path) {
  const body = structuredClone(good) as Record<string | number, unknown>
  let at = body
  for (const part of path.slice(0, -1)) at = (at[part] ?? {}) as Record<string | number, unknown>
  const last = path.at(-1) as string | number
  if (!(last in at)) throw new TypeError(`a good body has no ${nameOf(path)}`)
  return { body, at, last }
}

/** Whether an answer's `fields` name this one, or one within it or around it. */
export function isNamed(fields: readonly { readonly field: string }[], path: Path): boolean {
  const name = nameOf(path)
  return fields.some(({ field }) => field.startsWith(name) || name.startsWith(field))
}

/** A path that names something in each of its parameters. */
export const pathOf = ({ path }: Route, value: string): string => path.replace(/\{\w+\}/g, () => value)
