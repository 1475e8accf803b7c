import { setImmediate as turn } from 'node:timers/promises'
import { Int32, Long, type ObjectId } from 'mongodb'
import type { ClusterView } from '../kubernetes/types.js'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import type { IntentDoc, StrategyDoc } from '../store/documents.js'
import { isDuplicateKey } from '../store/failures.js'
import type { Store } from '../store/types.js'
import { intentDocs } from '../strategies/documents.js'
import { each } from './each.js'
import { byStrategy, isEmpty, keyOf, planStrategy, type StrategyPlan } from './plan.js'
import { indexPods, type PodIndex } from './pod-index.js'

/** Strategies that are read, planned and changed before the next ones are: what is in memory has an end. */
const CHUNK = 100
/** Strategies that are changed at the same time. */
const PARALLEL = 4
/** What one question to the database may take with all that it waits for. */
export const DATABASE_MS = 2 * OPERATION_TIMEOUT_MS
/**
 * An intent that is younger is not removed because its pod is not known here: another replica, whose view of the cluster is a moment ahead
 * of this one's, has just made it. The next run decides.
 */
export const YOUNG_MS = 10_000

export interface RefreshDeps {
  readonly store: Pick<Store, 'strategies' | 'intents' | 'transaction' | 'within'>
  readonly cluster: Pick<ClusterView, 'pods'>
  /** The holder's; whoever has written under a higher one is not overwritten. */
  readonly term: number
  readonly signal: AbortSignal
  readonly youngMs?: number
}

/** What a refresh came to. */
export interface Refreshed {
  strategies: number
  added: number
  removed: number
  /** Of those that were removed and added. */
  replaced: number
  /** Strategies that others changed meanwhile: the next run looks at them again. */
  met: number
  /** Strategies whose expression takes too long over these pods; their ids. */
  readonly tooSlow: string[]
  /** Pods that match a strategy which is for as many as it may. */
  beyond: number
  /** Changes that were not done, because the database would not: why. */
  readonly failed: unknown[]
}

/** Somebody else holds the lease, and has worked under it. */
export class Deposed extends Error {
  override readonly name = 'Deposed'
}

/**
 * Brings every strategy's intents up to date with the pods of the cluster (contract 1.10, step 1). Each strategy is one transaction, in
 * which its document is written: a user who changes or deletes it at the same moment, another replica, and a plan that was made on an
 * older reading all meet there, and one of them gives way.
 *
 * @throws Deposed; ServiceError UNAVAILABLE
 */
export async function refresh({ store, cluster, term, signal, youngMs = YOUNG_MS }: RefreshDeps): Promise<Refreshed> {
  const done: Refreshed = {
    ...{ strategies: 0, added: 0, removed: 0, replaced: 0, met: 0, beyond: 0 },
    ...{ tooSlow: [], failed: [] },
  }
  const pods = indexPods(cluster.pods())
  for (let after: ObjectId | undefined; !signal.aborted; ) {
    const strategies = await store.within(DATABASE_MS, () => nextStrategies(store, after))
    if (strategies.length === 0) break
    after = strategies.at(-1)?._id
    const ids = strategies.map(({ _id }) => _id)
    const intents = byStrategy(
      await store.within(DATABASE_MS, () => store.intents.find({ strategyID: { $in: ids } }).toArray()),
    )
    const plans = await planAll(strategies, pods, intents, done, signal)
    const live = new Set<string>()
    if (plans.some(({ plan }) => plan.remove.length > 0)) for (const { uid } of cluster.pods()) live.add(uid)
    const now = Date.now()
    const known = { pods, live, now, before: now - youngMs }
    await each(plans, PARALLEL, signal, async ({ strategy, plan: whole }) => {
      const plan = certain(whole, known)
      if (isEmpty(plan)) return
      try {
        if (await store.within(DATABASE_MS, () => change(store, strategy, plan, term))) {
          done.added += plan.add.length
          done.removed += plan.remove.length
          done.replaced += plan.replaced
        } else done.met++
      } catch (error) {
        if (error instanceof Deposed) throw error
        done.failed.push(error)
      }
    })
  }
  return done
}

const nextStrategies = (
  { strategies }: Pick<Store, 'strategies'>,
  after: ObjectId | undefined,
): Promise<StrategyDoc[]> =>
  strategies
    .find(after === undefined ? {} : { _id: { $gt: after } })
    .sort({ _id: 1 })
    .limit(CHUNK)
    .toArray()

interface Planned {
  readonly strategy: StrategyDoc
  readonly plan: StrategyPlan
}

async function planAll(
  strategies: readonly StrategyDoc[],
  pods: PodIndex,
  intents: ReadonlyMap<string, readonly IntentDoc[]>,
  done: Refreshed,
  signal: AbortSignal,
): Promise<readonly Planned[]> {
  const planned: Planned[] = []
  for (const strategy of strategies) {
    if (signal.aborted) break
    const plan = planStrategy(strategy, pods, intents.get(keyOf(strategy._id)) ?? [])
    done.strategies++
    if (plan === 'too-slow') done.tooSlow.push(keyOf(strategy._id))
    else {
      done.beyond += plan.beyond
      planned.push({ strategy, plan })
    }
    // Whoever asks this service something is answered in between.
    await turn()
  }
  return planned
}

interface Known {
  /** Those that were planned with. */
  readonly pods: PodIndex
  /** The UIDs of those that are there since the intents were read. */
  readonly live: ReadonlySet<string>
  /** Milliseconds since 1970, and when what is sure was made by then at the latest. */
  readonly now: number
  readonly before: number
}

/** Without what may be a moment's difference: intents of pods that came after they were listed here, or that only another replica knows yet. */
function certain({ remove, ...rest }: StrategyPlan, { pods, live, now, before }: Known): StrategyPlan {
  // Made in what is the future here: whoever made it has another clock, or has had, and says nothing of how young it is.
  const isOld = (at: number): boolean => at <= before || at > now + (now - before)
  const isSure = ({ podID, createdTime }: IntentDoc): boolean =>
    pods.has(podID) || (!live.has(podID) && isOld(Number(createdTime)))
  return { ...rest, remove: remove.filter(isSure) }
}

/** One strategy's change, whole or not at all. False: others were there first, and the plan is out of date. */
async function change(
  store: Pick<Store, 'strategies' | 'intents' | 'transaction'>,
  strategy: StrategyDoc,
  { remove, add }: StrategyPlan,
  term: number,
): Promise<boolean> {
  const { _id, version, reconciled } = strategy
  if (reconciled !== undefined && Number(reconciled.term) > term) throw new Deposed(`term ${term} is over`)
  const asRead =
    reconciled === undefined
      ? { reconciled: { $exists: false } }
      : { 'reconciled.term': reconciled.term, 'reconciled.count': reconciled.count }
  const made = intentDocs(writable(strategy), add)
  try {
    return await store.transaction(async (session) => {
      const { matchedCount } = await store.strategies.updateOne(
        { _id, version, ...asRead },
        { $set: { 'reconciled.term': Long.fromNumber(term) }, $inc: { 'reconciled.count': new Int32(1) } },
        { session },
      )
      if (matchedCount === 0) return false
      if (remove.length > 0)
        await store.intents.deleteMany({ _id: { $in: remove.map((each) => each._id) } }, { session })
      if (made.length > 0) await store.intents.insertMany(made, { session })
      return true
    })
  } catch (error) {
    // An intent of that pod is there since: another replica's, made on a newer reading.
    if (isDuplicateKey(error)) return false
    throw error
  }
}

/** The numbers in the types that the database asks for, and the time of now. */
const writable = (strategy: StrategyDoc): StrategyDoc => ({
  ...strategy,
  priority: new Int32(Number(strategy.priority)),
  executionTime: Long.fromNumber(Number(strategy.executionTime)),
  updatedTime: Long.fromNumber(Date.now()),
})
