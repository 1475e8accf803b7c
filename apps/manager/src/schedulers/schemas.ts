import { schedulerMetricNames, schedulerReportSchema } from '@bulkhead/intents'
import { z } from 'zod'
import { nextCursor, pageQuery } from '../http/page.js'

/** As long as the name of any object of Kubernetes may be. */
const MAX_NAME = 253

export const report = schedulerReportSchema

export const reportPath = z.object({ node: z.string().min(1).max(MAX_NAME) })

const root = z.string().describe('Merkle root of a set of intents: 64 hex digits')

export const reportAnswer = z.object({
  rootHash: root.describe('Of the set that this node is to have'),
  inSync: z.boolean().describe('Whether it has that; if not, it is being sent'),
})

export const schedulersQuery = z.object({
  limit: pageQuery.limit,
  cursor: z.string().min(1).max(MAX_NAME).optional().describe('The nextCursor of an answer'),
})

const time = z.string().describe('RFC 3339, UTC, whole seconds')

const scheduler = z.object({
  node: z.string(),
  podName: z.string(),
  startedAt: time,
  lastSeen: time.describe('When it reported last'),
  stale: z.boolean().describe('It has not reported for 90 seconds'),
  setVersion: z.int().describe('Of the set that it has; 0: none since its start'),
  intents: z.int(),
  rootHash: root.describe('Of the set that it has'),
  expectedRoot: root.describe('Of the set that it is to have, as of now'),
  inSync: z.boolean(),
  metrics: z
    .partialRecord(z.enum(schedulerMetricNames), z.number())
    .optional()
    .describe('The last word of the sched_ext scheduler beside it'),
})
export type SchedulerView = z.infer<typeof scheduler>

export const schedulersPage = z.object({ schedulers: z.array(scheduler), nextCursor })
