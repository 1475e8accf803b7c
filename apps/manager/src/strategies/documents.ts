import { Int32, Long, ObjectId } from 'mongodb'
import { timestampOf } from '../http/envelope.js'
import type { PodView } from '../kubernetes/types.js'
import { type IntentDoc, intentState, type StrategyDoc } from '../store/documents.js'
import type { NewStrategy, StrategyView } from './schemas.js'

const FIRST = new Int32(1)
const MADE = new Int32(intentState.made)

export function newStrategyDoc(given: NewStrategy, creator: ObjectId, now: number): StrategyDoc {
  const time = Long.fromNumber(now)
  return {
    _id: new ObjectId(),
    ...fieldsOf(given),
    createdTime: time,
    updatedTime: time,
    creatorID: creator,
    updaterID: creator,
    version: FIRST,
  }
}

/** Replaced as a whole: what was not given is as in a new one. */
export function changedStrategyDoc(
  before: StrategyDoc,
  given: NewStrategy,
  updater: ObjectId,
  now: number,
): StrategyDoc {
  return {
    _id: before._id,
    ...fieldsOf(given),
    createdTime: Long.fromNumber(Number(before.createdTime)),
    updatedTime: Long.fromNumber(now),
    creatorID: before.creatorID,
    updaterID: updater,
    version: new Int32(Number(before.version) + 1),
    ...(before.reconciled === undefined ? {} : { reconciled: keptAs(before.reconciled) }),
  }
}

/** As it was read, in the types of the database. */
const keptAs = ({ term, count }: NonNullable<StrategyDoc['reconciled']>) => ({
  term: Long.fromNumber(Number(term)),
  count: new Int32(Number(count)),
})

function fieldsOf({
  strategyNamespace,
  labelSelectors,
  k8sNamespace,
  commandRegex,
  priority,
  executionTime,
}: NewStrategy) {
  return {
    strategyNamespace,
    labelSelectors: labelSelectors.map(({ key, value }) => ({ key, value })),
    k8sNamespace: [...new Set(k8sNamespace)],
    commandRegex,
    priority: new Int32(priority),
    executionTime: Long.fromNumber(executionTime),
  }
}

/** One intent per pod (contract 1.8.4), made at the strategy's last change. */
export function intentDocs(strategy: StrategyDoc, pods: readonly PodView[]): IntentDoc[] {
  const { _id, strategyNamespace, commandRegex, priority, executionTime, creatorID, updaterID, updatedTime } = strategy
  return pods.map((pod) => ({
    _id: new ObjectId(),
    strategyID: _id,
    strategyNamespace,
    podID: pod.uid,
    podName: pod.name,
    nodeID: pod.nodeName,
    k8sNamespace: pod.namespace,
    commandRegex,
    priority,
    executionTime,
    podLabels: pod.labels,
    state: MADE,
    createdTime: updatedTime,
    updatedTime,
    creatorID,
    updaterID,
    version: FIRST,
  }))
}

export function strategyView(doc: StrategyDoc): StrategyView {
  return {
    id: doc._id.toHexString(),
    strategyNamespace: doc.strategyNamespace,
    labelSelectors: doc.labelSelectors.map(({ key, value }) => ({ key, value })),
    k8sNamespace: [...doc.k8sNamespace],
    commandRegex: doc.commandRegex,
    priority: Number(doc.priority),
    executionTime: Number(doc.executionTime),
    version: Number(doc.version),
    createdTime: timestampOf(Number(doc.createdTime)),
    updatedTime: timestampOf(Number(doc.updatedTime)),
  }
}
