import { nearWords } from '@bulkhead/resources/suggest'

/** Why a flow cannot be judged at all. For programs; the message is for people. */
export const flowErrorCodes = [
  'flow.invalid-json', // the line is no JSON object
  'flow.invalid', // a field is missing or has a value of the wrong kind
  'flow.unknown-field', // a field that a flow does not have
  'flow.unknown-workload', // no such workload or pod
  'flow.no-pods', // the workload is there and runs no pod (there)
  'flow.unknown-service',
  'flow.unknown-node',
] as const

export type FlowErrorCode = (typeof flowErrorCodes)[number]

/** A flow that names nothing real, or that is none. `suggestions` are near names that are. */
export class FlowError extends Error {
  override readonly name = 'FlowError'
  readonly code: FlowErrorCode
  readonly suggestions: readonly string[]

  constructor(code: FlowErrorCode, message: string, suggestions: readonly string[] = []) {
    super(suggestions.length === 0 ? message : `${message}; did you mean ${suggestions.map(quote).join(' or ')}?`)
    this.code = code
    this.suggestions = suggestions
  }
}

/** A value in a message, cut where it is long. */
export function quote(value: unknown): string {
  const text = json(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // JSON.parse reads what is nested deeper than JSON.stringify can write.
    return 'a value that is nested too deeply to be shown'
  }
}

/** At most three names that were probably meant. The right name in the wrong namespace is one, however far those are apart. */
export function nearNames(name: string, names: Iterable<string>): string[] {
  const known = [...new Set(names)].sort()
  const last = (text: string): string => text.slice(text.lastIndexOf('/') + 1)
  const namesakes = known.filter((candidate) => last(candidate) === last(name))
  return [...new Set([...namesakes, ...nearWords(name, known)])].slice(0, 3)
}
