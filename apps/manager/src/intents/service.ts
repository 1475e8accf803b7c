import { type Filter, ObjectId } from 'mongodb'
import { managerErrors } from '../http/errors.js'
import { afterCursor } from '../http/page.js'
import type { NodeSync } from '../push/node-sync.js'
import type { IntentDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { coveredFilter } from '../strategies/limits.js'
import type { Principal } from '../strategies/service.js'
import type { IntentQuery, IntentView } from './schemas.js'

export interface IntentsDeps {
  readonly store: Store
  readonly sync: NodeSync
}

/** What strategies mean for single pods; an intent is its strategy's maker's. */
export class Intents {
  readonly #deps: IntentsDeps

  constructor(deps: IntentsDeps) {
    this.#deps = deps
  }

  /** One more than were asked for, when there are more. */
  async list(principal: Principal, query: IntentQuery): Promise<IntentDoc[]> {
    const { strategyId, nodeId, podId, k8sNamespace, state } = query
    const asked: Filter<IntentDoc> = {
      ...afterCursor(query),
      ...(strategyId === undefined ? {} : { strategyID: new ObjectId(strategyId) }),
      ...(nodeId === undefined ? {} : { nodeID: nodeId }),
      ...(podId === undefined ? {} : { podID: podId }),
      ...(k8sNamespace === undefined ? {} : { k8sNamespace }),
      ...(state === undefined ? {} : { state }),
    }
    return this.#deps.store.intents
      .find(owned(principal, asked))
      .sort({ _id: 1 })
      .limit(query.limit + 1)
      .toArray()
  }

  /**
   * Deletes all of these or none. One whose strategy lives on comes back with the next look at the pods.
   *
   * @throws ServiceError INTENTS_NOT_FOUND when there is one among them that the caller has not
   */
  async remove(principal: Principal, ids: readonly string[]): Promise<void> {
    const { store, sync } = this.#deps
    const wanted = [...new Set(ids.map((id) => id.toLowerCase()))].map((id) => new ObjectId(id))
    const nodes = await store.transaction(async (session) => {
      const found = await store.intents
        .find(owned(principal, { _id: { $in: wanted } }), { session, projection: { nodeID: 1 } })
        .toArray()
      if (found.length !== wanted.length) throw managerErrors.error('INTENTS_NOT_FOUND')
      await store.intents.deleteMany({ _id: { $in: wanted } }, { session })
      return found.map(({ nodeID }) => nodeID)
    })
    await sync.sync(nodes)
  }
}

function owned({ caller, granted }: Principal, asked: Filter<IntentDoc>): Filter<IntentDoc> {
  const own: Filter<IntentDoc> = { creatorID: caller.id, ...asked }
  const covered = coveredFilter(granted, 'intents')
  return Object.keys(covered).length === 0 ? own : { $and: [own, covered] }
}

export function intentView(doc: IntentDoc): IntentView {
  return {
    id: doc._id.toHexString(),
    strategyId: doc.strategyID.toHexString(),
    strategyNamespace: doc.strategyNamespace,
    podId: doc.podID,
    podName: doc.podName,
    nodeId: doc.nodeID,
    k8sNamespace: doc.k8sNamespace,
    commandRegex: doc.commandRegex,
    priority: Number(doc.priority),
    executionTime: Number(doc.executionTime),
    podLabels: { ...doc.podLabels },
    state: Number(doc.state),
  }
}
