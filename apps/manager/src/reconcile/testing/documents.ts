import { Int32, Long, ObjectId } from 'mongodb'
import type { PodView } from '../../kubernetes/types.js'
import type { IntentDoc, StrategyDoc } from '../../store/documents.js'
import { intentDocs } from '../../strategies/documents.js'

const LONG_AGO = Long.fromNumber(1_000)

/** A strategy of which a test says what matters to it; as the database has it. */
export function strategyDoc(given: Partial<StrategyDoc> = {}): StrategyDoc {
  const creator = new ObjectId()
  return {
    _id: new ObjectId(),
    strategyNamespace: '',
    labelSelectors: [{ key: 'app', value: 'web' }],
    k8sNamespace: [],
    commandRegex: '',
    priority: new Int32(5),
    executionTime: Long.fromNumber(20_000_000),
    createdTime: LONG_AGO,
    updatedTime: LONG_AGO,
    creatorID: creator,
    updaterID: creator,
    version: new Int32(1),
    ...given,
  }
}

/** The intents of a strategy for these pods, made long ago. */
export const intentsOf = (strategy: StrategyDoc, ...pods: readonly PodView[]): IntentDoc[] =>
  intentDocs({ ...strategy, updatedTime: LONG_AGO }, pods)
