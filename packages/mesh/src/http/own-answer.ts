import type { FlowFlag, Symptom } from '@bulkhead/verdict'

/** What a proxy says itself, and how its record puts it. Without a flag the connection itself is all right. */
export interface OwnAnswer {
  readonly status: number
  readonly body?: string
  readonly location?: string
  readonly symptom: Symptom
  readonly flag?: FlowFlag
  readonly error?: string
}

/** A request that could be read in two ways, or takes more than a request may. */
export const refusal = (status: number, why: string): OwnAnswer => ({
  status,
  body: `refused: ${why}`,
  symptom: 'gateway-400',
  flag: 'ILLEGAL',
  error: `refused with ${status}: ${why}`,
})
