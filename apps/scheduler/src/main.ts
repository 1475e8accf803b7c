import type { IntentSet } from '@bulkhead/intents'

/** Nothing is known yet. */
export const nothing: IntentSet = { version: 0, intents: [] }
