import assert from 'node:assert/strict'
import { merkleRoot } from '@bulkhead/intents'
import type { ClusterView } from '../../kubernetes/types.js'
import { fitting } from '../../push/fit.js'
import type { IntentDoc } from '../../store/documents.js'
import type { Store } from '../../store/types.js'
import { expand } from '../../strategies/expand.js'
import type { Processes, RealScheduler } from './schedulers.js'

type Stored = Pick<Store, 'strategies' | 'intents'>

/** Every strategy has an intent for each pod that it is for, as the pod is, and there are no others. */
export async function isComplete({ strategies, intents }: Stored, cluster: Pick<ClusterView, 'pods'>): Promise<void> {
  const wanted: string[] = []
  for (const strategy of await strategies.find().toArray())
    for (const pod of expand(cluster.pods(), strategy))
      wanted.push(shown(strategy._id, pod.uid, pod.nodeName, Number(strategy.priority), pod.labels))
  const found = (await intents.find().toArray()).map(({ strategyID, podID, nodeID, priority, podLabels }) =>
    shown(strategyID, podID, nodeID, Number(priority), podLabels),
  )
  assert.deepEqual(found.sort(), wanted.sort())
}

const shown = (...parts: readonly unknown[]): string =>
  JSON.stringify(parts.map((part) => (isRecord(part) ? Object.entries(part).sort() : String(part))))

const isRecord = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Both sides have the same root, what is stored is noted as sent, and every process is scheduled as what is stored says. */
export async function agrees({ intents }: Stored, scheduler: RealScheduler, processes: Processes): Promise<void> {
  const documents = await intents.find({ nodeID: scheduler.node }).toArray()
  assert.equal(await scheduler.root(), merkleRoot(fitting(documents).intents), scheduler.node)
  assert.deepEqual(
    new Set(documents.map(({ state }) => Number(state))),
    documents.length === 0 ? new Set() : new Set([2]),
  )
  const served = await scheduler.served()
  const expected = new Map<number, { priority: number; executionTime: number }>()
  for (const [uid, pid] of processes) {
    const first = documents.filter(({ podID }) => podID === uid).sort(byPrecedence)[0]
    if (first === undefined) continue
    expected.set(pid, { priority: Number(first.priority), executionTime: Number(first.executionTime) })
  }
  assert.deepEqual(new Map([...served].sort(byNumber)), new Map([...expected].sort(byNumber)), scheduler.node)
}

/** The lowest priority number wins, and of several the newest (contract scheduler, D8). */
const byPrecedence = (a: IntentDoc, b: IntentDoc): number =>
  Number(a.priority) - Number(b.priority) || Buffer.compare(b._id.id, a._id.id)

const byNumber = ([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number => a - b
