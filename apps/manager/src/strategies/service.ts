import { type Filter, ObjectId } from 'mongodb'
import { managerErrors } from '../http/errors.js'
import { afterCursor } from '../http/page.js'
import type { Call, Caller } from '../http/route.js'
import { requireVersion } from '../http/versions.js'
import type { ClusterView, PodView } from '../kubernetes/types.js'
import type { NodeSync } from '../push/node-sync.js'
import { ONE } from '../store/changes.js'
import { type IntentDoc, intentState, type PolicyDoc, type StrategyDoc } from '../store/documents.js'
import { isDuplicateKey } from '../store/failures.js'
import type { Store } from '../store/types.js'
import { changedStrategyDoc, intentDocs, newStrategyDoc } from './documents.js'
import { answeredBefore, type IdempotentRequest, noteAnswer, requestHash } from './idempotency.js'
import { coveredFilter, covers } from './limits.js'
import { podsOf } from './pods.js'
import type { NewStrategy, StrategyQuery, StrategyReceipt } from './schemas.js'

/** What one user may have. Not counted in the transaction: of several made at once, a few more may come to be. */
export const MAX_STRATEGIES = 1_000

/** Who asks, and the policies that let him. */
export interface Principal {
  readonly caller: Caller
  readonly granted: readonly PolicyDoc[]
}

export function principalOf({ caller, granted }: Pick<Call, 'caller' | 'granted'>): Principal {
  // Routes that have a permission are reached by nobody unknown.
  if (caller === undefined) throw new TypeError('a route with a permission was reached by nobody')
  return { caller, granted }
}

export interface StrategiesDeps {
  readonly store: Store
  readonly cluster: ClusterView
  readonly sync: NodeSync
}

export interface VersionedReceipt extends StrategyReceipt {
  readonly version: number
}

/** Strategies and what follows from them. Whoever made one is the only one who may see, change or delete it (contract 1.9). */
export class Strategies {
  readonly #deps: StrategiesDeps

  constructor(deps: StrategiesDeps) {
    this.#deps = deps
  }

  /**
   * Stores the strategy and an intent for each of its pods, together, and tells the nodes' schedulers. Done once per idempotency key.
   *
   * @throws ServiceError PERMISSION_DENIED, NO_PODS_MATCH, TOO_MANY_PODS, TOO_MANY_STRATEGIES, CLUSTER_UNKNOWN, IDEMPOTENCY_KEY_REUSED
   */
  async create({ caller, granted }: Principal, given: NewStrategy, key: string | undefined): Promise<VersionedReceipt> {
    const { store, cluster } = this.#deps
    requireCovered(granted, given)
    const idempotent: IdempotentRequest | undefined =
      key === undefined
        ? undefined
        : { userID: caller.id, key, request: requestHash('POST', '/api/v1/strategies', given) }
    const before = idempotent && (await this.#answered(idempotent))
    if (before !== undefined) return before
    const own = await store.strategies.countDocuments({ creatorID: caller.id }, { limit: MAX_STRATEGIES })
    if (own >= MAX_STRATEGIES) throw managerErrors.error('TOO_MANY_STRATEGIES')
    const strategy = newStrategyDoc(given, caller.id, Date.now())
    const intents = intentDocs(strategy, podsOf(cluster, given))
    const answer = { id: strategy._id.toHexString(), intents: intents.length }
    try {
      await store.transaction(async (session) => {
        if (idempotent !== undefined) await noteAnswer(store, idempotent, answer, session)
        await store.strategies.insertOne(strategy, { session })
        await store.intents.insertMany(intents, { session })
      })
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
      // The same request, sent twice at once: the other one was first.
      const other = idempotent && (await this.#answered(idempotent))
      if (other !== undefined) return other
      // Or it is there since the last try, whose end nobody heard.
      if ((await store.strategies.findOne({ _id: strategy._id })) === null) throw error
    }
    return this.#pushed(strategy, intents)
  }

  /**
   * Replaces the strategy and its intents, together.
   *
   * @throws ServiceError STRATEGY_NOT_FOUND, VERSION_CONFLICT, PERMISSION_DENIED, NO_PODS_MATCH, TOO_MANY_PODS, CLUSTER_UNKNOWN
   */
  async change(
    principal: Principal,
    _id: ObjectId,
    given: NewStrategy,
    ifMatch: number | undefined,
  ): Promise<VersionedReceipt> {
    const { store, cluster } = this.#deps
    let pods: readonly PodView[] | undefined
    const { strategy, intents, nodes } = await store.transaction(async (session) => {
      // The write comes first: of two changes one gives way here, before it has done anything in vain.
      const locked = await store.strategies.findOneAndUpdate(
        { _id, creatorID: principal.caller.id },
        { $inc: { version: ONE } },
        { session, returnDocument: 'before' },
      )
      const before = requireOwn(principal.granted, locked, 'update')
      requireVersion(ifMatch, before.version)
      requireCovered(principal.granted, given)
      pods ??= podsOf(cluster, given)
      const next = changedStrategyDoc(before, given, principal.caller.id, Date.now())
      const made = intentDocs(next, pods)
      const left = await store.intents.distinct('nodeID', { strategyID: _id }, { session })
      const { _id: _, ...replacement } = next
      await store.strategies.replaceOne({ _id }, replacement, { session })
      await store.intents.deleteMany({ strategyID: _id }, { session })
      await store.intents.insertMany(made, { session })
      return { strategy: next, intents: made, nodes: left }
    })
    return this.#pushed(strategy, intents, nodes)
  }

  /** Deletes the strategy and its intents, together. @throws ServiceError STRATEGY_NOT_FOUND, VERSION_CONFLICT */
  async remove(principal: Principal, _id: ObjectId, ifMatch: number | undefined): Promise<void> {
    const { store, sync } = this.#deps
    const nodes = await store.transaction(async (session) => {
      const deleted = await store.strategies.findOneAndDelete({ _id, creatorID: principal.caller.id }, { session })
      requireVersion(ifMatch, requireOwn(principal.granted, deleted, 'delete').version)
      const left = await store.intents.distinct('nodeID', { strategyID: _id }, { session })
      await store.intents.deleteMany({ strategyID: _id }, { session })
      return left
    })
    await sync.sync(nodes)
  }

  /** @throws ServiceError STRATEGY_NOT_FOUND */
  async get({ caller, granted }: Principal, _id: ObjectId): Promise<StrategyDoc> {
    return requireOwn(granted, await this.#deps.store.strategies.findOne({ _id, creatorID: caller.id }), 'read')
  }

  /** One more than were asked for, when there are more. */
  async list({ caller, granted }: Principal, query: StrategyQuery): Promise<StrategyDoc[]> {
    const { strategyNamespace, k8sNamespace } = query
    const all: Filter<StrategyDoc>[] = [{ creatorID: caller.id, ...afterCursor(query) }]
    if (strategyNamespace !== undefined) all.push({ strategyNamespace })
    if (k8sNamespace !== undefined) all.push({ k8sNamespace })
    const covered = coveredFilter(granted, 'strategies')
    if (Object.keys(covered).length > 0) all.push(covered)
    return this.#deps.store.strategies
      .find(all.length === 1 ? (all[0] as Filter<StrategyDoc>) : { $and: all })
      .sort({ _id: 1 })
      .limit(query.limit + 1)
      .toArray()
  }

  async #answered(request: IdempotentRequest): Promise<VersionedReceipt | undefined> {
    const { store } = this.#deps
    const answer = await answeredBefore(store, request)
    if (answer === undefined) return undefined
    const { id, intents } = answer as { readonly id: string; readonly intents: number }
    const strategyID = new ObjectId(id)
    const [left, pushed] = await Promise.all([
      store.intents.countDocuments({ strategyID }),
      store.intents.countDocuments({ strategyID, state: intentState.sent }),
    ])
    // As it is now: of what has been deleted since, nothing is pending.
    return {
      id,
      intents,
      pushed: Math.min(pushed, intents),
      pending: Math.max(0, Math.min(left, intents) - pushed),
      version: 1,
    }
  }

  async #pushed(
    { _id, version }: StrategyDoc,
    intents: readonly IntentDoc[],
    left: readonly string[] = [],
  ): Promise<VersionedReceipt> {
    const reached = await this.#deps.sync.sync([...left, ...intents.map(({ nodeID }) => nodeID)])
    const pushed = intents.filter(({ nodeID }) => reached.has(nodeID)).length
    return {
      id: _id.toHexString(),
      intents: intents.length,
      pushed,
      pending: intents.length - pushed,
      version: Number(version),
    }
  }
}

function requireCovered(granted: readonly PolicyDoc[], { strategyNamespace, k8sNamespace }: NewStrategy): void {
  if (covers(granted, strategyNamespace, k8sNamespace)) return
  throw managerErrors.error('PERMISSION_DENIED')
}

function requireOwn(granted: readonly PolicyDoc[], found: StrategyDoc | null, to: string): StrategyDoc {
  if (found !== null && covers(granted, found.strategyNamespace, found.k8sNamespace)) return found
  throw managerErrors.error('STRATEGY_NOT_FOUND', `strategy not found or you don't have permission to ${to} it`)
}
