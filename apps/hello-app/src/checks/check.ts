import type { Code, Kind } from './codes.js'

/** What came of one check. */
export interface Outcome {
  readonly code: Code
  /** The HTTP status, where there was one. */
  readonly status?: number
  /** For the log alone: it may name addresses, users, and whatever a driver says. */
  readonly cause?: unknown
}

/** Something that this app depends on. */
export interface Check {
  readonly id: string
  readonly name: string
  /** What the page shows as the thing that was asked: never an address of the inside. */
  readonly target: string
  readonly kind: Kind
  /** Never rejects, and is done by its own deadline. */
  run(): Promise<Outcome>
}
