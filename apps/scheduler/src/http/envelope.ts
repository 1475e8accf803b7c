import type { RenderError } from '@bulkhead/service-kit'
import { InvalidFields } from './fields.js'

/** Content-Type of every answer with an envelope. */
export const API_TYPE = 'application/json'

/** What the contract has for failures that any service has, where its words are others than service-kit's. */
const messages: Readonly<Record<string, string>> = {
  INTERNAL: 'Internal Server Error',
  NOT_FOUND: 'Not Found',
  METHOD_NOT_ALLOWED: 'Method Not Allowed',
}

/** A value as the original writes it: `<`, `>` and `&` escaped, a newline at the end. */
export function toJson(value: unknown): string {
  return `${escapeJson(JSON.stringify(value))}\n`
}

export const escapeJson = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, escapeCharacter)

const escapeCharacter = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`

/** The time as the contract has it: UTC, whole seconds. */
export const timestampOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** The envelope of what went well; without data the key is left out. */
export function success(data: unknown, now: number): string {
  return toJson({ success: true, ...(data === undefined ? {} : { data }), timestamp: timestampOf(now) })
}

/** The envelope of what did not: the manager's, field by field. */
export const renderError: RenderError = (error, requestId) => ({
  type: API_TYPE,
  body: toJson({
    success: false,
    error: messages[error.code] ?? error.message,
    code: error.code,
    requestId,
    ...(error instanceof InvalidFields ? { fields: error.fields } : {}),
  }),
})
