import { ServiceError } from '@bulkhead/service-kit'
import type { z } from 'zod'
import { generatorErrors } from '../manifests/errors.js'

/** What is wrong with one field; its name as a path: `callers[0].namespace`. */
export interface FieldProblem {
  readonly field: string
  readonly message: string
}

/** A description that is not one. */
export class InvalidDescription extends ServiceError {
  readonly fields: readonly FieldProblem[]

  constructor(fields: readonly FieldProblem[]) {
    const { status, message } = generatorErrors.table.INVALID_DESCRIPTION
    super('INVALID_DESCRIPTION', status, message)
    this.fields = fields
      .slice(0, MOST_FIELDS)
      .map(({ field, message: words }) => ({ field: short(field), message: words }))
  }
}

/** A page of problems is enough to go on with. */
const MOST_FIELDS = 20
/** A caller's own words, of members that there are not, may be long: he is not told all of them back. */
const MOST_CHARACTERS = 100

type Issue = z.core.$ZodIssue

/** zod's issues, one for each field. */
export function problemsOf(issues: readonly Issue[], within: readonly PropertyKey[] = []): FieldProblem[] {
  return issues.flatMap((issue) => {
    const path = [...within, ...issue.path]
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ field: nameOf([...path, key]), message: 'there is no such field' }))
    // What was written tells which of the two forms was meant.
    if (issue.code === 'invalid_union') {
      const [text = [], object = []] = issue.errors
      return problemsOf(typeof issue.input === 'string' ? text : object, path)
    }
    if (issue.code === 'invalid_key') return problemsOf(issue.issues, path)
    if (issue.code === 'invalid_type')
      return [
        {
          field: nameOf(path),
          message:
            issue.input === undefined ? 'it is missing' : `it must be ${typeWords[issue.expected] ?? issue.expected}`,
        },
      ]
    return [{ field: nameOf(path), message: issue.message }]
  })
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a whole number',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  boolean: 'true or false',
}

/** `callers[0].labels`; what is no plain name stands quoted. */
export function nameOf(path: readonly PropertyKey[]): string {
  let name = ''
  for (const part of path) {
    if (typeof part === 'number') name += `[${part}]`
    else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(String(part))) name += `[${JSON.stringify(String(part))}]`
    else name += name === '' ? String(part) : `.${String(part)}`
  }
  return name === '' ? 'body' : name
}

const short = (text: string): string => (text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}...`)
