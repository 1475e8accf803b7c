import { symptomSentence, type Verdict } from '@bulkhead/verdict'
import { decidingSteps } from './reason.js'
import type { FlowChange, PolicyDiff } from './types.js'

export interface DiffRenderOptions {
  /** How many flows of each kind are listed; the rest is counted. Default: all. */
  readonly most?: number
}

/**
 * What a change does, for people: one line when it opens and closes nothing, else each flow with what lets it now
 * or what stops it now.
 */
export function renderDiff(diff: PolicyDiff, options: DiffRenderOptions = {}): string {
  const { opened, closed, decidedElsewhere } = diff
  if (opened.length + closed.length + decidedElsewhere.length === 0) {
    return `opens and closes nothing (${diff.asked} flows asked)\n`
  }
  const { most = Number.POSITIVE_INFINITY } = options
  const lines = [
    ...opened.slice(0, most).map((change) => `  + ${arrow(change)}   ${reason(change.after)}`),
    ...closed.slice(0, most).map((change) => `  - ${arrow(change)}   ${reason(change.after)}`),
    ...decidedElsewhere.slice(0, most).map((change) => `  ~ ${arrow(change)}   ${reason(change.after)}`),
  ]
  return `${lines.join('\n')}\n`
}

const arrow = ({ from, to }: FlowChange): string => `${from} → ${to}`

function reason(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'not there any more'
  const step = decidingSteps(verdict).at(-1)
  const by = [step?.layer, step?.policy, step?.at].filter((part) => part !== undefined).join(' ')
  return verdict.outcome === 'allow' ? by : `${by}: ${symptomSentence(verdict.symptom)}`
}
