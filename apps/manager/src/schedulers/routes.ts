import { REPORT_ACTION } from '../audit/log.js'
import { defineRoute, type Route } from '../http/route.js'
import { report, reportAnswer, reportPath, schedulersPage, schedulersQuery } from './schemas.js'
import { Schedulers, type SchedulersDeps } from './service.js'

/** Everything under /api/v1/schedulers. */
export function schedulerRoutes(deps: SchedulersDeps): readonly Route[] {
  const schedulers = new Schedulers(deps)
  const tag = 'schedulers'
  return [
    defineRoute({
      method: 'PUT',
      path: '/api/v1/schedulers/{node}',
      operationId: 'reportScheduler',
      tag,
      summary:
        'What the scheduler of a node has, as it says itself; one that has not what it should is sent it at once',
      permission: 'scheduler',
      params: reportPath,
      body: report,
      answer: reportAnswer,
      errors: ['NODE_NOT_FOUND', 'NOT_A_SCHEDULER', 'CLUSTER_UNKNOWN'],
      audit: REPORT_ACTION,
      handle: async (call) => {
        call.about(`schedulers/${call.params.node}`)
        return { data: await schedulers.report(call.params.node, call.body) }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/schedulers',
      operationId: 'listSchedulers',
      tag,
      summary: 'The schedulers that have reported, by node, and whether they have what they should',
      permission: 'pod_pid_mapping.read',
      query: schedulersQuery,
      answer: schedulersPage,
      errors: [],
      handle: async ({ query }) => {
        const found = await schedulers.list(query)
        const page = found.slice(0, query.limit)
        const last = page.at(-1)
        const more = found.length > query.limit && last !== undefined
        return { data: { schedulers: page, ...(more ? { nextCursor: last.node } : {}) } }
      },
    }),
  ]
}
