import { merkleRoot, type SchedulerReport } from '@bulkhead/intents'
import { Int32, Long } from 'mongodb'
import { timestampOf } from '../http/envelope.js'
import { managerErrors } from '../http/errors.js'
import type { ClusterView } from '../kubernetes/types.js'
import { fitting } from '../push/fit.js'
import type { NodeSync } from '../push/node-sync.js'
import type { IntentDoc, SchedulerDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { requireSynced } from '../strategies/pods.js'
import { isScheduler, type SchedulerIdentity } from './identity.js'
import type { SchedulerView } from './schemas.js'

/** Three reports that did not come. */
export const STALE_MS = 90_000

export interface SchedulersDeps {
  readonly store: Pick<Store, 'schedulers' | 'intents'>
  readonly cluster: ClusterView
  readonly sync: Pick<NodeSync, 'sync'>
  readonly identity: SchedulerIdentity
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** What the schedulers say of themselves, and whether they have what they should. */
export class Schedulers {
  readonly #deps: SchedulersDeps
  readonly #now: () => number

  constructor(deps: SchedulersDeps) {
    this.#deps = deps
    this.#now = deps.now ?? Date.now
  }

  /**
   * Notes what the scheduler of a node says. One that has not what it should is told at once, at the address that the Kubernetes API has
   * for it; nobody waits for that.
   *
   * @throws ServiceError CLUSTER_UNKNOWN, NODE_NOT_FOUND; NOT_A_SCHEDULER for a pod that is not one there, whatever it says
   */
  async report(node: string, said: SchedulerReport): Promise<{ readonly rootHash: string; readonly inSync: boolean }> {
    const { store, sync } = this.#deps
    this.#requireScheduler(node, said.podName)
    const { podName, startedAt, setVersion, rootHash, intents, metrics } = said
    await store.schedulers.replaceOne(
      { _id: node },
      {
        podName,
        startedTime: Long.fromNumber(Date.parse(startedAt)),
        lastSeen: Long.fromNumber(this.#now()),
        setVersion: Long.fromNumber(setVersion),
        rootHash,
        intents: new Int32(intents),
        ...(metrics === undefined ? {} : { metrics }),
      },
      { upsert: true },
    )
    const expected = await this.#expected([node])
    const { root, count } = expected.get(node) ?? NOTHING
    // A root alone may be that of another set (the last leaf twice): the number of intents tells those apart.
    const inSync = root === rootHash && count === intents
    if (!inSync) void sync.sync([node])
    return { rootHash: root, inSync }
  }

  /** By name of their nodes, after `cursor`; one more than were asked for, when there are more. */
  async list({ limit, cursor }: { limit: number; cursor?: string | undefined }): Promise<readonly SchedulerView[]> {
    const found = await this.#deps.store.schedulers
      .find(cursor === undefined ? {} : { _id: { $gt: cursor } })
      .sort({ _id: 1 })
      .limit(limit + 1)
      .toArray()
    const expected = await this.#expected(found.slice(0, limit).map(({ _id }) => _id))
    return found.map((one) => this.#view(one, expected.get(one._id) ?? NOTHING))
  }

  #requireScheduler(node: string, podName: string): void {
    const { cluster, identity } = this.#deps
    requireSynced(cluster)
    if (!cluster.nodes().some(({ name }) => name === node)) throw managerErrors.error('NODE_NOT_FOUND')
    for (const pod of cluster.pods()) {
      if (pod.name !== podName || pod.nodeName !== node || !isScheduler(pod, identity)) continue
      if (pod.phase === 'Pending' || pod.phase === 'Running') return
    }
    throw managerErrors.error(
      'NOT_A_SCHEDULER',
      `The Kubernetes API knows no scheduler ${JSON.stringify(podName)} on this node (namespace ${identity.namespace}, ServiceAccount ${identity.serviceAccount}). One that has just started is known in a moment.`,
    )
  }

  async #expected(nodes: readonly string[]): Promise<ReadonlyMap<string, Expected>> {
    const byNode = new Map<string, IntentDoc[]>(nodes.map((node) => [node, []]))
    for (const each of await this.#deps.store.intents.find({ nodeID: { $in: [...nodes] } }).toArray())
      byNode.get(each.nodeID)?.push(each)
    return new Map([...byNode].map(([node, documents]) => [node, expectedOf(documents)]))
  }

  #view(said: SchedulerDoc, { root, count }: Expected): SchedulerView {
    const { _id, podName, startedTime, lastSeen, setVersion, rootHash, intents, metrics } = said
    return {
      node: _id,
      podName,
      startedAt: timestampOf(Number(startedTime)),
      lastSeen: timestampOf(Number(lastSeen)),
      stale: this.#now() - Number(lastSeen) >= STALE_MS,
      setVersion: Number(setVersion),
      intents: Number(intents),
      rootHash,
      expectedRoot: root,
      inSync: root === rootHash && count === Number(intents),
      ...(metrics === undefined ? {} : { metrics: numbersOf(metrics) }),
    }
  }
}

interface Expected {
  readonly root: string
  readonly count: number
}

export function expectedOf(documents: readonly IntentDoc[]): Expected {
  const { intents } = fitting(documents)
  return { root: merkleRoot(intents), count: intents.length }
}

const NOTHING = expectedOf([])

const numbersOf = (metrics: Readonly<Record<string, unknown>>): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]))
