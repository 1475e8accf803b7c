import { CelBudgetError, CelError } from '../../cel/errors.js'
import type { Budget } from '../../cel/frame.js'
import { define } from '../../cel/registry.js'
import { isList, Message, typeName } from '../../cel/values.js'
import { applyConfiguration, applyJsonPatch, PatchError } from '../../patch/index.js'
import { plainOf } from './plain.js'

define('jsonpatch.escapeKey', ['string'], 'string', ([key]) => key.replaceAll('~', '~0').replaceAll('/', '~1'))

type Fields = Readonly<Record<string, unknown>>

/** What becomes of an object by what a mutation's expression came to. Throws CelError or PatchError. */
export type Mutation = (object: Fields, made: unknown, budget: Budget) => Fields

export const mutation = {
  /** @param atomics whether lists and selectors that are one value may be replaced (`useServerSideApply`) */
  applyConfiguration:
    (atomics: boolean): Mutation =>
    (object, made, budget) => {
      if (!(made instanceof Message)) {
        throw new CelError(`unsupported return type from ApplyConfiguration expression: ${typeName(made)}`)
      }
      checkNames(made, 'Object')
      try {
        return applyConfiguration(object, fieldsOf(plainOf(made, budget)), { atomics })
      } catch (error) {
        if (!(error instanceof PatchError)) throw error
        throw failed(error, 'error applying patch')
      }
    },
  jsonPatch: (object: Fields, made: unknown, budget: Budget): Fields => {
    if (!isList(made)) throw new CelError('type mismatch: JSONPatchType.expression should evaluate to array')
    const operations = made.map((one) => operationOf(one, budget))
    try {
      return fieldsOf(applyJsonPatch(object, operations))
    } catch (error) {
      if (!(error instanceof PatchError)) throw error
      // A test of the patch's own that fails means that it is not to be applied.
      if (error.testFailed) return object
      throw failed(error, 'JSON Patch')
    }
  },
} satisfies Readonly<Record<string, unknown>>

/** A limit of ours is no error that a cluster would have: it spends the budget. */
function failed(error: PatchError, what: string): Error {
  return error.tooLarge ? new CelBudgetError(error.message) : new PatchError(`${what}: ${error.message}`)
}

function operationOf(one: unknown, budget: Budget): Fields {
  if (!(one instanceof Message) || one.type !== 'JSONPatch') {
    throw new CelError(
      `type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch, got element of ${typeName(one)}`,
    )
  }
  const value = one.fields.get('value')
  if (value instanceof Message) checkNames(value, value.type)
  return fieldsOf(plainOf(one, budget))
}

/** Kubernetes holds the name of each object against the field that it stands in: `Object.spec{template: Object.spec.template{}}`. */
function checkNames(value: unknown, expected: string): void {
  if (Array.isArray(value)) for (const item of value) checkNames(item, expected)
  if (!(value instanceof Message)) return
  if (value.type !== expected) {
    throw new CelError(
      `type mismatch: unexpected type name "${value.type}", expected "${expected}", which matches field name path from root Object type`,
    )
  }
  for (const [name, entry] of value.fields) checkNames(entry, `${expected}.${name}`)
}

function fieldsOf(value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new PatchError('what the patch leaves is no object')
}
