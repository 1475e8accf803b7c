import type { Verdict } from '@bulkhead/verdict'
import type { Matrix } from './types.js'

/** A matrix as it is drawn: equal rows are one, and what stops a flow is a sign of at most two letters. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly { readonly sources: readonly string[]; readonly signs: readonly string[] }[]
  /** Of the signs that are in it, in the order of the way. */
  readonly legend: readonly { readonly sign: string; readonly says: string }[]
}

export const allowed = '✓'
const nowhere = '·'
const unknown = '?'
const unnamed = 'x'
/** A source is not asked about itself. */
const own = ''

export function tableOf({ sources, destinations, cells }: Matrix): Table {
  const signs = signsOf(cells.map(({ verdict }) => verdict))
  const bySource = new Map<string, Map<string, string>>(sources.map((source) => [source, new Map()]))
  for (const { from, to, verdict } of cells) bySource.get(from)?.set(to, signs.of(verdict))
  const rows: { sources: string[]; signs: string[] }[] = []
  for (const [source, row] of bySource) {
    const drawn = destinations.map((name) => row.get(name) ?? own)
    const alike = rows.find((candidate) => candidate.signs.every((sign, column) => fits(sign, drawn[column] ?? own)))
    if (alike === undefined) rows.push({ sources: [source], signs: drawn })
    else {
      alike.sources.push(source)
      alike.signs = alike.signs.map((sign, column) => (sign === own ? (drawn[column] ?? own) : sign))
    }
  }
  return { columns: destinations, rows, legend: signs.legend }
}

/** What a source is not asked about itself keeps it from no row. */
const fits = (a: string, b: string): boolean => a === b || a === own || b === own

function signsOf(verdicts: readonly Verdict[]): { of(verdict: Verdict): string; legend: Table['legend'] } {
  const layers = [...new Set(verdicts.flatMap((verdict) => deciding(verdict)?.layer ?? []))].sort()
  const signOfLayer = new Map<string, string>()
  for (const layer of layers) {
    const number = /^\d\d/.exec(layer)?.[0] ?? layer.slice(0, 2)
    const taken = new Set(signOfLayer.values())
    const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `${number.charAt(0)}${letter}`)
    signOfLayer.set(layer, [number, ...letters].find((sign) => !taken.has(sign)) ?? unnamed)
  }
  const of = (verdict: Verdict): string => {
    if (verdict.outcome === 'allow') return allowed
    if (verdict.outcome === 'unknown') return unknown
    const step = deciding(verdict)
    if (step === undefined || /^(?:network|route)\./.test(step.code)) return nowhere
    return step.layer === undefined ? unnamed : (signOfLayer.get(step.layer) ?? unnamed)
  }
  const used = new Set(verdicts.map(of))
  const legend = [
    { sign: allowed, says: 'allowed' },
    ...[...signOfLayer].map(([layer, sign]) => ({ sign, says: `stopped by ${layer}` })),
    { sign: unnamed, says: 'stopped by a policy outside of the layers' },
    { sign: nowhere, says: 'nothing answers there' },
    { sign: unknown, says: 'cannot be said: something that decides is not modelled' },
  ]
  return { of, legend: legend.filter(({ sign }) => used.has(sign)) }
}

function deciding({ decidedBy, steps }: Verdict): Verdict['steps'][number] | undefined {
  return decidedBy === undefined ? undefined : steps[decidedBy.step]
}
