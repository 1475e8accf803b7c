import type { Duplex } from 'node:stream'
import type { Observation } from '@bulkhead/scenarios'
import type { Symptom } from '@bulkhead/verdict'
import type { Failure, Trace } from '../trace.js'

/** What a kind of attempt brings back. It throws when no byte of an answer came. */
export interface Got {
  /** Default `ok`. */
  readonly symptom?: Symptom
  readonly http?: Observation['http']
  readonly detail?: Readonly<Record<string, unknown>>
  /** What cut an answer short. */
  readonly cut?: Failure | undefined
  /** The connection, still open, for an attempt that holds it. */
  readonly open?: Duplex
  /** The same once more on that connection. Rejects when no byte of an answer comes. */
  readonly again?: () => Promise<Got>
}

export type Kind = (trace: Trace) => Promise<Got>
