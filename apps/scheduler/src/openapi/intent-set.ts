import { intentSchema, MAX_INTENTS } from '@bulkhead/intents'
import { z } from 'zod'

/** What `readIntentSet` takes, as a schema to be read. */
export const intentSetBody = z.object({
  version: z.int().min(1).describe('Higher than that of the set in force'),
  intents: z.array(intentSchema).max(MAX_INTENTS),
})
