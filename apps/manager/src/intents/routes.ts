import { pageOf } from '../http/page.js'
import { type Call, defineRoute, type Route } from '../http/route.js'
import { emptyData } from '../strategies/schemas.js'
import { principalOf } from '../strategies/service.js'
import { intentPage, intentPath, intentQuery, namedIntents } from './schemas.js'
import { Intents, type IntentsDeps, intentView } from './service.js'

/** Everything under /api/v1/intents. */
export function intentRoutes(deps: IntentsDeps): readonly Route[] {
  const intents = new Intents(deps)
  const tag = 'intents'

  const remove = async (call: Call, ids: readonly string[]): Promise<{ data: Record<string, never> }> => {
    call.about(ids.length === 1 ? `intents/${ids[0]?.toLowerCase()}` : `intents (${ids.length})`)
    await intents.remove(principalOf(call), ids)
    return { data: {} }
  }

  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/intents/self',
      operationId: 'listIntents',
      tag,
      summary: 'The intents of the caller’s strategies, in the order in which they were made',
      permission: 'schedule_intent.read',
      query: intentQuery,
      answer: intentPage,
      errors: [],
      handle: async (call) => {
        const { items, next } = pageOf(await intents.list(principalOf(call), call.query), call.query)
        return { data: { intents: items.map(intentView), ...next } }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/intents',
      operationId: 'deleteIntents',
      tag,
      summary: 'Delete several intents of one’s own, all or none',
      permission: 'schedule_intent.delete',
      body: namedIntents,
      answer: emptyData,
      errors: ['INTENT_IDS_REQUIRED', 'INTENTS_NOT_FOUND', 'VERSION_CONFLICT'],
      audit: 'intent.delete',
      handle: (call) => remove(call, call.body.intentIds),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/intents/{id}',
      operationId: 'deleteIntent',
      tag,
      summary: 'Delete an intent of one’s own',
      permission: 'schedule_intent.delete',
      params: intentPath,
      answer: emptyData,
      errors: ['INTENTS_NOT_FOUND', 'VERSION_CONFLICT'],
      audit: 'intent.delete',
      handle: (call) => remove(call, [call.params.id]),
    }),
  ]
}
