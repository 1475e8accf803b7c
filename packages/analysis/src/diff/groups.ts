import type { Verdict } from '@bulkhead/verdict'
import { symptomSentence } from '@bulkhead/verdict/words'
import { decidingSteps, lettingWords, stepInstead, stepThatDiffers, stoppingWords } from '../words.js'
import type { FlowChange, PolicyDiff } from './types.js'

/** Changes with the same reason, between all of `from` and all of `to`. */
export interface Group {
  readonly sign: '+' | '-' | '~'
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** What decides now, with its place. */
  readonly now: string
  /** What decided, without a place: it may stand elsewhere now, or nowhere. */
  readonly before: string
  /** What the caller sees now, where it is not an answer. */
  readonly sees?: string
  readonly flows: number
}

/** Everything that changed, opened first, in as few groups as say the same. */
export function groupsOf({ opened, closed, decidedElsewhere }: PolicyDiff): readonly Group[] {
  return [
    ...grouped(
      '+',
      opened.map((change) => told(change)),
    ),
    ...grouped(
      '-',
      closed.map((change) => told(change)),
    ),
    ...grouped('~', decidedElsewhere.map(briefly)),
  ]
}

interface Told extends Pick<Group, 'now' | 'before' | 'sees'> {
  readonly from: string
  readonly to: string
}

/** Where the outcome stays, what decides is enough, and what the caller sees where that is another thing now. */
function briefly(change: FlowChange): Told {
  const { from, to, before, after, behind } = change
  const full = told(change)
  if (before === undefined || after === undefined) return full
  const other = before.symptom !== after.symptom && full.sees !== undefined && { sees: full.sees }
  if (after.outcome !== 'allow') return { from, to, now: words(after, before, false), before: full.before, ...other }
  // Of several, which one takes a connection is no matter; that there is another one is.
  const [end, ended] =
    behind === undefined ? [endOf(after), endOf(before)] : [either(behind.after), either(behind.before)]
  if (end === ended) return { ...full, ...other }
  return { from, to, now: `it leads to ${end}; ${full.now}`, before: `it led to ${ended}; ${full.before}`, ...other }
}

const either = (workloads: readonly string[]): string => workloads.join(' or ')

/** Where a connection ends: the last workload, or the address that a redirect names. */
function endOf({ hops, steps }: Verdict): string {
  const redirect = steps.find(({ code }) => code === 'route.redirects')?.facts?.location
  return String(redirect ?? hops.at(-1)?.to)
}

function told({ from, to, before, after }: FlowChange): Told {
  return {
    from,
    to,
    now: after === undefined ? 'the caller or what it called is not there any more' : words(after, before, true),
    before: before === undefined ? 'it was not there' : words(before, after, false),
    ...(after !== undefined && after.symptom !== 'ok' && { sees: symptomSentence(after.symptom) }),
  }
}

function words(verdict: Verdict, other: Verdict | undefined, places: boolean): string {
  if (verdict.outcome === 'allow' && other === undefined) {
    // What was not there is let in by every rule on its way.
    const rules = decidingSteps(verdict).filter(({ rule }) => rule !== undefined)
    if (rules.length > 1) return rules.map((step) => lettingWords(step, { places })).join('; ')
  }
  if (verdict.outcome === 'allow') {
    // Allowed both times: what is told is what has changed, not what allows it in the end.
    const step = (other?.outcome === 'allow' && stepThatDiffers(verdict, other)) || stepInstead(verdict, other)
    return lettingWords(step, { places })
  }
  return stoppingWords(decidingSteps(verdict).at(-1), { places })
}

/** First by reason; then the callers that call the same are one line, so that a line is a true rectangle of the matrix. */
function grouped(sign: Group['sign'], changes: readonly Told[]): readonly Group[] {
  return [...groupBy(changes, ({ now, before, sees }) => JSON.stringify([now, before, sees])).values()].flatMap(
    (same) => {
      const callers = [...groupBy(same, ({ from }) => from)].map(([from, calls]) => ({
        from,
        to: calls.map(({ to }) => to),
      }))
      return [...groupBy(callers, ({ to }) => JSON.stringify(to)).values()].flatMap((alike) => {
        const [first] = same
        const to = alike[0]?.to ?? []
        if (first === undefined) return []
        const { now, before, sees } = first
        const from = alike.map((caller) => caller.from)
        return [{ sign, from, to, now, before, ...(sees !== undefined && { sees }), flows: from.length * to.length }]
      })
    },
  )
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
