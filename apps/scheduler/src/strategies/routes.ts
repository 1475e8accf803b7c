import { z } from 'zod'
import { escapeJson, timestampOf } from '../http/envelope.js'
import { schedulerErrors } from '../http/errors.js'
import { defineRoute, type Route } from '../http/route.js'
import type { NodeIntents } from '../intents/node-intents.js'
import type { ProcessSource } from '../processes/source.js'
import { schedule, schedulingJson } from './scheduling.js'

const answer = z.object({
  success: z.literal(true),
  message: z.string(),
  timestamp: z.string(),
  scheduling: z.array(
    z.object({
      priority: z.int(),
      execution_time: z.int().describe('Nanoseconds'),
      pid: z.int().optional(),
      selectors: z.array(z.object({ key: z.string(), value: z.string() })).optional(),
      command_regex: z.string().optional(),
    }),
  ),
})

export const strategyRoutes = (
  intents: NodeIntents,
  processes: ProcessSource,
  now: () => number = Date.now,
): readonly Route[] => [
  defineRoute({
    method: 'GET',
    path: '/api/v1/scheduling/strategies',
    operationId: 'listStrategies',
    summary: 'How the processes of this node are to be scheduled, each once',
    caller: 'sched-ext',
    answer,
    raw: true,
    errors: ['STRATEGIES_UNKNOWN'],
    async handle() {
      const running = await processes.read().catch((cause: unknown) => {
        throw schedulerErrors.error('STRATEGIES_UNKNOWN', undefined, { cause })
      })
      const scheduling = schedulingJson(await schedule(intents.inForce, running))
      return {
        raw: escapeJson(
          `{"success":true,"message":"Scheduling intents retrieved successfully","timestamp":"${timestampOf(now())}","scheduling":${scheduling}}\n`,
        ),
      }
    },
  }),
]
