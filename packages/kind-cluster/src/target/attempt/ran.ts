import type { Observation } from '@bulkhead/scenarios'
import { TargetError } from '../errors.js'
import { type Live, type LiveObject, valueAt } from '../live/index.js'
import { listAt } from '../live/plain.js'
import { idOf, livePod, podOf } from './where.js'

/**
 * `run`: that the pod is there, and that its own program was started by the kubelet. Nothing is started for it, so that it means the same
 * of an image that has nothing but its program.
 * @throws TargetError `bad-attempt` when there is no such pod, `attempt-failed` when nothing of it runs
 */
export function ran(from: string, live: Live): Observation {
  const pod = livePod(podOf(from, live), live)
  if (!hasRun(pod)) {
    const said = listAt(pod, 'status', 'containerStatuses').map((one) => JSON.stringify(valueAt(one, 'state')))
    throw new TargetError(
      'attempt-failed',
      `the pod ${idOf(pod)} is there, and no program of it runs: ${said.join(', ') || 'it has no containers yet'}`,
    )
  }
  const { name } = pod.metadata
  const text = `a program runs in the pod ${name}`
  return { symptom: 'ok', phase: 'answer', timings: {}, bytes: text.length, detail: { text, pod: name } }
}

const hasRun = (pod: LiveObject): boolean =>
  listAt(pod, 'status', 'containerStatuses').some(
    (one) =>
      valueAt(one, 'state', 'running') !== undefined || valueAt(one, 'state', 'terminated', 'startedAt') !== undefined,
  )
