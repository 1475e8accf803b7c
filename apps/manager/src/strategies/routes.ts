import { ObjectId } from 'mongodb'
import { pageOf } from '../http/page.js'
import { type Call, defineRoute, type Route } from '../http/route.js'
import { etagOf } from '../http/versions.js'
import { strategyView } from './documents.js'
import {
  changedStrategy,
  emptyData,
  namedStrategy,
  newStrategy,
  type StrategyReceipt,
  strategy,
  strategyPage,
  strategyPath,
  strategyQuery,
  strategyReceipt,
} from './schemas.js'
import { principalOf, Strategies, type StrategiesDeps, type VersionedReceipt } from './service.js'

const targetOf = (id: string): string => `strategies/${id.toLowerCase()}`

/** Everything under /api/v1/strategies. */
export function strategyRoutes(deps: StrategiesDeps): readonly Route[] {
  const strategies = new Strategies(deps)
  const tag = 'strategies'

  const remove = async (call: Call, id: string): Promise<{ data: Record<string, never> }> => {
    call.about(targetOf(id))
    await strategies.remove(principalOf(call), new ObjectId(id), call.ifMatch)
    return { data: {} }
  }

  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/strategies',
      operationId: 'createStrategy',
      tag,
      summary: 'Say how the pods that match are scheduled',
      permission: 'schedule_strategy.create',
      body: newStrategy,
      answer: strategyReceipt,
      status: 201,
      errors: [
        'NO_PODS_MATCH',
        'TOO_MANY_PODS',
        'TOO_MANY_STRATEGIES',
        'CLUSTER_UNKNOWN',
        'IDEMPOTENCY_KEY_REUSED',
        'VERSION_CONFLICT',
      ],
      audit: 'strategy.create',
      idempotent: true,
      handle: async (call) => {
        const receipt = await strategies.create(principalOf(call), call.body, call.idempotencyKey)
        return { ...answerOf(receipt), target: targetOf(receipt.id) }
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/strategies',
      operationId: 'updateStrategy',
      tag,
      summary: 'Replace a strategy of one’s own, and its intents',
      permission: 'schedule_strategy.update',
      body: changedStrategy,
      answer: strategyReceipt,
      errors: ['STRATEGY_ID_REQUIRED', 'STRATEGY_NOT_FOUND', 'NO_PODS_MATCH', 'TOO_MANY_PODS', 'CLUSTER_UNKNOWN'],
      audit: 'strategy.update',
      ifMatch: true,
      handle: async (call) => {
        const { strategyId, ...given } = call.body
        call.about(targetOf(strategyId))
        return answerOf(await strategies.change(principalOf(call), new ObjectId(strategyId), given, call.ifMatch))
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/strategies/self',
      operationId: 'listStrategies',
      tag,
      summary: 'The strategies that the caller has made, in that order',
      permission: 'schedule_strategy.read',
      query: strategyQuery,
      answer: strategyPage,
      errors: [],
      handle: async (call) => {
        const { items, next } = pageOf(await strategies.list(principalOf(call), call.query), call.query)
        return { data: { strategies: items.map(strategyView), ...next } }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/strategies/{id}',
      operationId: 'getStrategy',
      tag,
      summary: 'A strategy of one’s own',
      permission: 'schedule_strategy.read',
      params: strategyPath,
      answer: strategy,
      errors: ['STRATEGY_NOT_FOUND'],
      handle: async (call) => {
        const found = await strategies.get(principalOf(call), new ObjectId(call.params.id))
        return { data: strategyView(found), headers: { etag: etagOf(found.version) } }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/strategies',
      operationId: 'deleteStrategyByBody',
      tag,
      summary: 'As DELETE /api/v1/strategies/{id}, for clients of the original',
      permission: 'schedule_strategy.delete',
      body: namedStrategy,
      answer: emptyData,
      errors: ['STRATEGY_ID_REQUIRED', 'STRATEGY_NOT_FOUND'],
      audit: 'strategy.delete',
      ifMatch: true,
      handle: (call) => remove(call, call.body.strategyId),
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/strategies/{id}',
      operationId: 'deleteStrategy',
      tag,
      summary: 'Delete a strategy of one’s own, and its intents',
      permission: 'schedule_strategy.delete',
      params: strategyPath,
      answer: emptyData,
      errors: ['STRATEGY_NOT_FOUND'],
      audit: 'strategy.delete',
      ifMatch: true,
      handle: (call) => remove(call, call.params.id),
    }),
  ]
}

function answerOf({ version, ...data }: VersionedReceipt): { data: StrategyReceipt; headers: Record<string, string> } {
  return { data, headers: { etag: etagOf(version) } }
}
