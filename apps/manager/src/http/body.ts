import type { IncomingMessage } from 'node:http'
import { kitErrors, readBody } from '@bulkhead/service-kit'
import { managerErrors } from './errors.js'

/** Memory and time: the largest request that makes sense here has a few thousand characters. */
export const MAX_BODY_BYTES = 64 * 1024

/** How deep nulls are looked for: deeper than any request goes, and no deeper than the stack. */
const DEEPEST = 8

/**
 * The JSON value that a request brings, whatever its Content-Type says. As the contract has it, the first value counts and
 * what follows it does not; a member that is null is as good as one that is missing.
 * @throws ServiceError INVALID_BODY, BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, REQUEST_ABORTED
 */
export async function readJson(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw kitErrors.error('UNSUPPORTED_MEDIA_TYPE', 'This service takes no Content-Encoding.')
  const bytes = await readBody(request, maxBytes)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw managerErrors.error('INVALID_BODY', undefined, { cause })
  }
  return withoutNulls(parseFirst(text)) ?? {}
}

/** The first JSON value of a text. @throws ServiceError INVALID_BODY */
export function parseFirst(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const end = endOfFirst(text)
    if (end !== undefined && end < text.length) {
      try {
        return JSON.parse(text.slice(0, end))
      } catch {
        // The first value is no better on its own: told below.
      }
    }
    throw managerErrors.error('INVALID_BODY', undefined, { cause })
  }
}

/** Where a text's first value ends, if it is an object or an array: bodies are. */
function endOfFirst(text: string): number | undefined {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth <= 0) return at + 1
  }
  return undefined
}

/** A member that is null is as good as one that is missing. */
export function withoutNulls(value: unknown, depth = 0): unknown {
  if (value === null) return undefined
  if (typeof value !== 'object' || depth === DEEPEST) return value
  if (Array.isArray(value)) return value.map((each) => (each === null ? null : withoutNulls(each, depth + 1)))
  const kept: [string, unknown][] = []
  for (const [key, each] of Object.entries(value)) if (each !== null) kept.push([key, withoutNulls(each, depth + 1)])
  return Object.fromEntries(kept)
}
