import { z } from 'zod'
import { timestampOf } from '../http/envelope.js'
import { schedulerErrors } from '../http/errors.js'
import { defineRoute, type Route } from '../http/route.js'
import type { ProcessSource } from './source.js'

const answer = z.object({
  pods: z.array(
    z.object({
      pod_uid: z.string(),
      processes: z.array(
        z.object({ pid: z.int(), command: z.string(), ppid: z.int(), container_id: z.string().optional() }),
      ),
    }),
  ),
  timestamp: z.string(),
  node_name: z.string(),
})

export const processRoutes = (node: string, processes: ProcessSource): readonly Route[] => [
  defineRoute({
    method: 'GET',
    path: '/api/v1/pods/pids',
    operationId: 'listProcesses',
    summary: 'The processes of the pods of this node',
    caller: 'manager',
    answer,
    errors: ['PROCESSES_UNKNOWN'],
    async handle() {
      const { pods, at } = await processes.read().catch((cause: unknown) => {
        throw schedulerErrors.error('PROCESSES_UNKNOWN', undefined, { cause })
      })
      return {
        data: {
          pods: [...pods].map(([uid, all]) => ({
            pod_uid: uid,
            processes: all.map(({ pid, command, ppid, containerId }) => ({
              pid,
              command,
              ppid,
              ...(containerId === undefined ? {} : { container_id: containerId }),
            })),
          })),
          timestamp: timestampOf(at),
          node_name: node,
        },
      }
    },
  }),
]
