import type { Document } from 'bson'
import { MongoError } from '../../errors.js'
import { isPlain } from '../../values/decode.js'
import { identical } from '../../values/identical.js'
import { MAX_DEPTH } from '../../wire/limits.js'
import { compileFilter, type Filter } from '../filter.js'
import { own } from '../path.js'
import { arrayOperators } from './arrays.js'
import { fieldOperators, type Operator } from './fields.js'
import { type Change, changeAt, KEEP, type Places, REMOVE } from './paths.js'

/*
 * An update, read once and applied to many documents. The types of what is not
 * touched stay, and a document that did not change is the same object.
 */

const known: Readonly<Record<string, Operator>> = { ...fieldOperators, ...arrayOperators }

/** A document after the update: the same object when nothing changed. */
export type Update = (document: Document, query?: Query) => Document

/** What found the document: `$` stands for the element that it matched. */
export interface Query {
  readonly filter: Document
  readonly matches: Filter
}

export interface UpdateOptions {
  readonly arrayFilters?: readonly Document[]
  /** What an update by a pipeline is made with. */
  readonly pipeline: (stages: readonly unknown[]) => Update
  /** The update makes a new document: `$setOnInsert` counts. */
  readonly inserting?: boolean
}

interface Step {
  readonly field: string
  readonly path: readonly string[]
  readonly change: Change
  readonly create: boolean
}

/** @throws MongoError FailedToParse, BadValue, ConflictingUpdateOperators, DollarPrefixedFieldName, EmptyFieldName */
export function compileUpdate(update: unknown, options: UpdateOptions): Update {
  const { arrayFilters = [] } = options
  const isModifying = !Array.isArray(update) && !isReplacement(update)
  if (arrayFilters.length > 0 && !isModifying && (Array.isArray(update) || isPlain(update)))
    throw new MongoError('FailedToParse', 'arrayFilters may only be specified for an update by operators')
  if (Array.isArray(update)) return options.pipeline(update)
  if (!isPlain(update)) throw new MongoError('FailedToParse', 'Update argument must be either an object or an array')
  return isReplacement(update) ? replacement(update) : modifiers(update, options)
}

export const isReplacement = (update: unknown): boolean =>
  isPlain(update) && Object.keys(update)[0]?.startsWith('$') !== true

function replacement(next: Document): Update {
  const odd = Object.keys(next).find((key) => key.startsWith('$'))
  if (odd !== undefined) throw dollar(odd)
  return (document) => {
    const id = own(document, '_id')
    if (Object.hasOwn(next, '_id') && id !== undefined && !identical(next._id, id)) throw immutable('_id')
    const made = id === undefined ? { ...next } : { _id: id, ...next }
    return identical(made, document) ? document : made
  }
}

function modifiers(update: Document, options: UpdateOptions): Update {
  const steps: Step[] = []
  const renames: { readonly from: string; readonly to: string }[] = []
  for (const name of Object.keys(update)) {
    const fields: unknown = update[name]
    const operator = Object.hasOwn(known, name) ? known[name] : undefined
    if (operator === undefined && name !== '$rename') throw unknownModifier(name)
    if (!isPlain(fields))
      throw new MongoError('FailedToParse', `Modifiers operate on fields but we found another type instead at ${name}`)
    if (name === '$setOnInsert' && options.inserting !== true) {
      for (const field of Object.keys(fields)) steps.push({ ...step(field, () => KEEP, false) })
      continue
    }
    for (const field of Object.keys(fields)) {
      if (operator !== undefined) steps.push(step(field, operator.change(fields[field], field), operator.create))
      else renames.push(rename(field, fields[field]))
    }
  }
  for (const { from, to } of renames)
    steps.push(
      step(from, () => KEEP, false),
      step(to, () => KEEP, false),
    )
  steps.sort((a, b) => (a.field < b.field ? -1 : a.field > b.field ? 1 : 0))
  refuseConflicts(steps)
  const filters = arrayFilters(options.arrayFilters ?? [])
  for (const name of filters.keys())
    if (!steps.some(({ path }) => path.includes(`$[${name}]`)))
      throw new MongoError('FailedToParse', `The array filter for identifier '${name}' was not used in the update`)
  return (document, query) => {
    const position = positionIn(document, query)
    let next = document
    for (const { path, change, create } of steps) next = changeAt(next, path, change, { filters, position, create })
    for (const { from, to } of renames) next = moved(next, from, to, { filters, position, create: true })
    if (Object.hasOwn(document, '_id') && !identical(own(next, '_id'), document._id)) throw immutable('_id')
    return next
  }
}

function step(field: string, change: Change, create: boolean): Step {
  const path = field.split('.')
  if (path.includes(''))
    throw new MongoError(
      'EmptyFieldName',
      `The update path '${field}' contains an empty field name, which is not allowed.`,
    )
  if (path.length > MAX_DEPTH)
    throw new MongoError('Overflow', `a path of ${path.length} parts exceeds the maximum depth of ${MAX_DEPTH}`)
  const odd = path.find((part) => part.startsWith('$') && part !== '$' && !/^\$\[[a-z]?[A-Za-z0-9]*\]$/.test(part))
  if (odd !== undefined) throw dollar(field)
  return { field, path, change, create }
}

function rename(from: string, to: unknown): { readonly from: string; readonly to: string } {
  if (typeof to !== 'string') throw new MongoError('BadValue', `The 'to' field for $rename must be a string: ${from}`)
  if (`${from}.${to}`.split('.').some((part) => part.startsWith('$')))
    throw new MongoError('BadValue', `The source and target field for $rename may not be dynamic: ${from}`)
  return { from, to }
}

function moved(document: Document, from: string, to: string, places: Places): Document {
  let value: unknown
  const without = changeAt(
    document,
    from.split('.'),
    (old) => {
      value = old
      return old === undefined ? KEEP : REMOVE
    },
    { ...places, create: false },
  )
  return value === undefined ? document : changeAt(without, to.split('.'), () => value, places)
}

/** Two changes of one place, or of a place and what is in it, have no order that anybody could rely on. */
function refuseConflicts(steps: readonly Step[]): void {
  const seen = new Set<string>()
  for (const { field, path } of steps) {
    for (let length = 1; length <= path.length; length++) {
      const prefix = path.slice(0, length).join('.')
      if (seen.has(prefix))
        throw new MongoError(
          'ConflictingUpdateOperators',
          `Updating the path '${field}' would create a conflict at '${prefix}'`,
        )
    }
    seen.add(field)
  }
  for (const { field, path } of steps) {
    for (let length = 1; length < path.length; length++) {
      const prefix = path.slice(0, length).join('.')
      if (seen.has(prefix))
        throw new MongoError(
          'ConflictingUpdateOperators',
          `Updating the path '${field}' would create a conflict at '${prefix}'`,
        )
    }
  }
}

/** `[{ 'element.grade': { $gte: 85 } }]` by the first part of its fields. */
function arrayFilters(filters: readonly Document[]): ReadonlyMap<string, (element: unknown) => boolean> {
  const read = new Map<string, (element: unknown) => boolean>()
  for (const filter of filters) {
    const names = new Set(namesIn(filter))
    const [name] = names
    if (name === undefined || names.size !== 1)
      throw new MongoError('FailedToParse', 'Each array filter must use one top-level field name')
    if (read.has(name))
      throw new MongoError('FailedToParse', `Found multiple array filters with the same top-level field name ${name}`)
    const test = compileFilter(filter)
    read.set(name, (element) => test({ [name]: element }))
  }
  return read
}

const namesIn = (filter: Document): readonly string[] =>
  Object.keys(filter).flatMap((key) => {
    const value: unknown = filter[key]
    if (key.startsWith('$'))
      return Array.isArray(value) ? value.flatMap((clause: unknown) => (isPlain(clause) ? namesIn(clause) : [])) : []
    return [key.split('.')[0] ?? '']
  })

/** The element that made the query match: the first one with which alone, in the array's place, it still does. */
const positionIn = (document: Document, query: Query | undefined) => (prefix: string) => {
  let found = -1
  const path = prefix.split('.')
  const places: Places = { filters: new Map(), position: () => 0, create: false }
  const look: Change = (array) => {
    if (!Array.isArray(array) || query === undefined || !asksFor(query.filter, prefix)) return KEEP
    found = array.findIndex((item) => query.matches(changeAt(document, path, () => [item], places)))
    return KEEP
  }
  changeAt(document, path, look, places)
  if (found < 0)
    throw new MongoError('BadValue', 'The positional operator did not find the match needed from the query.')
  return found
}

/** Whether a filter says something of the array at a path. */
const asksFor = (filter: Document, prefix: string): boolean =>
  Object.keys(filter).some((key) => {
    const value: unknown = filter[key]
    if (key.startsWith('$'))
      return Array.isArray(value) && value.some((clause: unknown) => isPlain(clause) && asksFor(clause, prefix))
    return key === prefix || key.startsWith(`${prefix}.`)
  })

const dollar = (field: string): MongoError =>
  new MongoError('DollarPrefixedFieldName', `The dollar ($) prefixed field '${field}' is not valid for storage.`)

export const immutable = (field: string): MongoError =>
  new MongoError(
    'ImmutableField',
    `Performing an update on the path '${field}' would modify the immutable field '${field}'`,
  )

const others = new Set(['$bit'])

function unknownModifier(name: string): MongoError {
  if (others.has(name)) return new MongoError('NotImplemented', `${name} is not supported by this server`)
  return new MongoError(
    'FailedToParse',
    `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
  )
}
