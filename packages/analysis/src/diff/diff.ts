import type { Snapshot } from '@bulkhead/verdict'
import { boardOf, isOwn } from '../matrix/board.js'
import type { Destination } from '../matrix/questions.js'
import { isEqual, objectsOf } from './objects.js'
import { leadsElsewhere, sameReason } from './reason.js'
import type { FlowChange, PolicyDiff } from './types.js'

/**
 * What the change from one snapshot to another opens and closes: every question of either one's matrix, asked of both.
 * Compile the second one with the first as `previous`: pods that are in both keep their addresses then, and no rule
 * about addresses is taken for a change.
 */
export function diffSnapshots(before: Snapshot, after: Snapshot): PolicyDiff {
  const [was, is] = [boardOf(before), boardOf(after)]
  const sources = [...new Set([...was.sources, ...is.sources])].sort()
  const pairs = new Map<string, [Destination | undefined, Destination | undefined]>()
  for (const destination of was.destinations) pairs.set(destination.name, [destination, undefined])
  for (const destination of is.destinations)
    pairs.set(destination.name, [pairs.get(destination.name)?.[0], destination])
  const columns = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, pair]) => pair)

  const opened: FlowChange[] = []
  const closed: FlowChange[] = []
  const decidedElsewhere: FlowChange[] = []
  let asked = 0
  for (const from of sources) {
    for (const [old, now] of columns) {
      const [then, here] = [old ?? now, now ?? old]
      if (then === undefined || here === undefined || isOwn(from, then) || isOwn(from, here)) continue
      const earlier = was.has(from, then) ? was.ask(from, then) : undefined
      const later = is.has(from, here) ? is.ask(from, here) : undefined
      if (earlier === undefined && later === undefined) continue
      asked += 1
      const change: FlowChange = {
        from,
        to: here.name,
        ...(earlier !== undefined && { before: earlier }),
        ...(later !== undefined && { after: later }),
        ...(!isEqual(then.workloads, here.workloads) && {
          behind: { before: then.workloads, after: here.workloads },
        }),
      }
      const [could, can] = [earlier?.outcome === 'allow', later?.outcome === 'allow']
      if (can && !could) opened.push(change)
      else if (could && !can) closed.push(change)
      else if (
        earlier !== undefined &&
        later !== undefined &&
        (!sameReason({ verdict: earlier, snapshot: before }, { verdict: later, snapshot: after }) ||
          leadsElsewhere({ verdict: earlier, ...then }, { verdict: later, ...here }))
      )
        decidedElsewhere.push(change)
    }
  }
  return { opened, closed, decidedElsewhere, objects: objectsOf(before.resources, after.resources), asked }
}
