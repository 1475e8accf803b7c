import { type Answer, answerOf } from '../words.js'
import type { FlowChange, PolicyDiff } from './types.js'

interface FlowChangeJson {
  readonly from: string
  readonly to: string
  readonly before?: Answer
  readonly after?: Answer
}

/** What a change does, for programs. Keys in this order; nothing in it depends on the addresses of pods. */
export interface PolicyDiffJson {
  readonly asked: number
  readonly opened: readonly FlowChangeJson[]
  readonly closed: readonly FlowChangeJson[]
  readonly decidedElsewhere: readonly FlowChangeJson[]
  readonly objects: PolicyDiff['objects']
}

export function diffJson({ asked, opened, closed, decidedElsewhere, objects }: PolicyDiff): PolicyDiffJson {
  const { added, changed, removed } = objects
  return {
    asked,
    opened: opened.map(changeJson),
    closed: closed.map(changeJson),
    decidedElsewhere: decidedElsewhere.map(changeJson),
    objects: { added, changed, removed },
  }
}

function changeJson({ from, to, before, after }: FlowChange): FlowChangeJson {
  return {
    from,
    to,
    ...(before !== undefined && { before: answerOf(before, after) }),
    ...(after !== undefined && { after: answerOf(after, before) }),
  }
}
