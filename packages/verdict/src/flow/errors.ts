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

export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}

/** At most three names that are a slip away from the one given, the nearest first. */
export function nearNames(name: string, names: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(name.length / 4))
  const last = (text: string): string => text.slice(text.lastIndexOf('/') + 1)
  return [...new Set(names)]
    .map((candidate) => ({
      candidate,
      // The right name in the wrong namespace is near, however far the namespaces are apart.
      distance: last(candidate) === last(name) ? 1 : editDistance(name, candidate, limit),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

/** Levenshtein's distance; anything above the limit is limit + 1. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit || a.length > 300) return limit + 1
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? limit + 1
}
