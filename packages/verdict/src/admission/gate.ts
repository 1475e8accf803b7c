import type { AdmissionStep } from './types.js'

/** The answer of the API server, word for word. */
export interface Refusal {
  readonly status: number
  /** `Forbidden`, `Invalid`; a webhook's is empty, and kubectl then names none. */
  readonly reason: string
  readonly message: string
}

/** What one gate of the chain says of a request. */
export interface GateWord {
  readonly steps: readonly AdmissionStep[]
  /** There where one of the steps denies. */
  readonly refusal?: Refusal
  /** As kubectl prints them, behind `Warning: `. */
  readonly warnings: readonly string[]
}

export const silent: GateWord = { steps: [], warnings: [] }
