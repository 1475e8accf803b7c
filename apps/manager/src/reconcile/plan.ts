import type { ObjectId } from 'mongodb'
import type { PodView } from '../kubernetes/types.js'
import type { IntentDoc, StrategyDoc } from '../store/documents.js'
import { expand, TooSlow } from '../strategies/expand.js'
import { MAX_PODS } from '../strategies/pods.js'
import type { PodIndex } from './pod-index.js'

/** What has to change so that a strategy's intents are those of the pods that there are (contract 1.10, step 1). */
export interface StrategyPlan {
  /** Intents whose pod is gone, or matches no more, and those that are replaced. */
  readonly remove: readonly IntentDoc[]
  /** Pods that get one: new ones, and those whose intent says what is no longer so. */
  readonly add: readonly PodView[]
  /** Of these, how many are both. */
  readonly replaced: number
  /** Pods that match and get none, since a strategy is for so many at the most. */
  readonly beyond: number
}

const NOTHING: StrategyPlan = { remove: [], add: [], replaced: 0, beyond: 0 }

/**
 * Pure: the same strategy, pods and intents come to the same plan, and to an empty one once it has been done.
 *
 * An intent is never changed but for its state: what was noted as sent is then what the document says. Where a pod's labels, its node or
 * the strategy say something else by now, which the original never notices, another one takes its place.
 *
 * @param intents those of this strategy
 * @returns `too-slow` for an expression that takes longer over these pods than it may: its intents stay as they are
 */
export function planStrategy(
  strategy: StrategyDoc,
  pods: PodIndex,
  intents: readonly IntentDoc[],
): StrategyPlan | 'too-slow' {
  let matching: readonly PodView[]
  try {
    matching = expand(pods.candidates(strategy), strategy)
  } catch (error) {
    if (error instanceof TooSlow) return 'too-slow'
    throw error
  }
  const byPod = new Map(intents.map((intent) => [intent.podID, intent]))
  const { kept, beyond } = within(matching, byPod)
  if (kept.length === 0 && intents.length === 0) return beyond === 0 ? NOTHING : { ...NOTHING, beyond }
  const remove: IntentDoc[] = []
  const add: PodView[] = []
  let replaced = 0
  for (const pod of kept) {
    const intent = byPod.get(pod.uid)
    byPod.delete(pod.uid)
    if (intent === undefined) add.push(pod)
    else if (!says(intent, strategy, pod)) {
      remove.push(intent)
      add.push(pod)
      replaced++
    }
  }
  remove.push(...byPod.values())
  return { remove, add, replaced, beyond }
}

/** As many pods as a strategy is for; those that have an intent stay before others come. */
function within(matching: readonly PodView[], byPod: ReadonlyMap<string, unknown>) {
  if (matching.length <= MAX_PODS) return { kept: matching, beyond: 0 }
  const known = matching.filter(({ uid }) => byPod.has(uid))
  const fresh = matching.filter(({ uid }) => !byPod.has(uid))
  return { kept: [...known, ...fresh].slice(0, MAX_PODS), beyond: matching.length - MAX_PODS }
}

/** Whether an intent says what the strategy means for this pod today. */
function says(intent: IntentDoc, strategy: StrategyDoc, pod: PodView): boolean {
  return (
    intent.nodeID === pod.nodeName &&
    intent.podName === pod.name &&
    intent.k8sNamespace === pod.namespace &&
    intent.commandRegex === strategy.commandRegex &&
    intent.strategyNamespace === strategy.strategyNamespace &&
    Number(intent.priority) === Number(strategy.priority) &&
    Number(intent.executionTime) === Number(strategy.executionTime) &&
    sameLabels(intent.podLabels, pod.labels)
  )
}

function sameLabels(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  for (const key of keys) if (!Object.hasOwn(b, key) || a[key] !== b[key]) return false
  return true
}

/** Whether there is nothing to do. */
export const isEmpty = ({ remove, add }: StrategyPlan): boolean => remove.length === 0 && add.length === 0

/** By the strategies' ids. */
export function byStrategy(intents: readonly IntentDoc[]): ReadonlyMap<string, readonly IntentDoc[]> {
  const found = new Map<string, IntentDoc[]>()
  for (const intent of intents) {
    const key = keyOf(intent.strategyID)
    const list = found.get(key)
    if (list === undefined) found.set(key, [intent])
    else list.push(intent)
  }
  return found
}

export const keyOf = (id: ObjectId): string => id.toHexString()
