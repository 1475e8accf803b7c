import { z } from 'zod'
import { missing, saying } from '../http/fields.js'
import { objectId } from '../http/ids.js'
import { nextCursor, pageQuery, wholeNumber } from '../http/page.js'

/** More than a page of the list has, several times over. */
const MAX_IDS = 1_000

export const intentQuery = z.object({
  ...pageQuery,
  strategyId: objectId.optional(),
  nodeId: z.string().max(253).optional(),
  podId: z.string().max(253).optional(),
  k8sNamespace: z.string().max(63).optional(),
  state: wholeNumber(0, 2).optional(),
})
export type IntentQuery = z.infer<typeof intentQuery>

export const namedIntents = z.object({
  intentIds: z
    .array(objectId, { error: missing('INTENT_IDS_REQUIRED') })
    .min(1, saying('INTENT_IDS_REQUIRED'))
    .max(MAX_IDS),
})

export const intentPath = z.object({ id: objectId })

export const intent = z.object({
  id: z.string(),
  strategyId: z.string(),
  strategyNamespace: z.string(),
  podId: z.string().describe('The UID of the pod'),
  podName: z.string(),
  nodeId: z.string().describe('The name of the node; empty while the pod is on none'),
  k8sNamespace: z.string(),
  commandRegex: z.string(),
  priority: z.int(),
  executionTime: z.int(),
  podLabels: z.record(z.string(), z.string()),
  state: z.int().describe('0 unknown, 1 made, 2 sent to the scheduler of the node'),
})
export type IntentView = z.infer<typeof intent>

export const intentPage = z.object({ intents: z.array(intent), nextCursor })
