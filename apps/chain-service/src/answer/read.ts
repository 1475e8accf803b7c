import { type Answer, emptyAnswer } from './answer.js'

/** Stack: an upstream chooses how deep its JSON nests. Real chains have a handful of hops. */
export const MAX_DEPTH = 64
/** Memory: `{}` deep inside is three bytes to send, and hundreds, with its indentation, to write. Counts calls and addresses. */
export const MAX_ENTRIES = 1_000

/**
 * Reads an upstream's answer. Unknown fields are dropped, absent ones are empty; undefined when it is not such an answer
 * (the original then goes on with an empty one, and so does the caller of this).
 */
export function readAnswer(text: string): Answer | undefined {
  try {
    return fromJson(JSON.parse(text), 0, { left: MAX_ENTRIES })
  } catch {
    return undefined
  }
}

type Json = Readonly<Record<string, unknown>>

/** How many entries the rest of the answer may have. */
interface Budget {
  left: number
}

function fromJson(value: unknown, depth: number, budget: Budget): Answer {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deeply')
  const answer = emptyAnswer()
  if (value === null) return answer
  if (typeof value !== 'object' || Array.isArray(value)) throw new TypeError('not an object')
  const json = value as Json
  answer.name = text(json.name)
  answer.uri = text(json.uri)
  answer.type = text(json.type)
  answer.ipAddresses = list(json.ip_addresses, budget, text)
  answer.startTime = text(json.start_time)
  answer.endTime = text(json.end_time)
  answer.duration = text(json.duration)
  answer.body = text(json.body)
  answer.upstreamCalls = list(json.upstream_calls, budget, (call) => fromJson(call, depth + 1, budget))
  answer.code = whole(json.code)
  answer.error = text(json.error)
  return answer
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return ''
  throw new TypeError('not a string')
}

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  if (value === undefined || value === null) return 0
  throw new TypeError('not a whole number')
}

function list<T>(value: unknown, budget: Budget, read: (entry: unknown) => T): T[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new TypeError('not a list')
  budget.left -= value.length
  if (budget.left < 0) throw new RangeError('too many entries')
  return value.map(read)
}
