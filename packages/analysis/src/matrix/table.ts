import type { Verdict } from '@bulkhead/verdict'
import { layerOf } from '../words.js'
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
/** Nobody is asked about himself. */
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
  const empty = rows.some((row) => row.signs.includes(own)) ? [{ sign: '(empty)', says: 'is itself' }] : []
  return { columns: destinations, rows, legend: [...signs.legend, ...empty] }
}

/** What a source is not asked about itself keeps it from no row. */
const fits = (a: string, b: string): boolean => a === b || a === own || b === own

function signsOf(verdicts: readonly Verdict[]): { of(verdict: Verdict): string; legend: Table['legend'] } {
  const layers = [...new Set(verdicts.flatMap((verdict) => layerOfVerdict(verdict) ?? []))].sort()
  const signOfLayer = new Map<string, string>()
  for (const layer of layers) {
    const taken = new Set(signOfLayer.values())
    // Two layers that isolate together have the first letters of both.
    const [first = '', second] = layer.split(' and ')
    const short = second === undefined ? first.slice(0, 2) : `${first.charAt(0)}${second.charAt(0)}`
    const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `${short.charAt(0)}${letter}`)
    signOfLayer.set(layer, [short, ...letters].find((sign) => !taken.has(sign)) ?? unnamed)
  }
  const of = (verdict: Verdict): string => {
    if (verdict.outcome === 'allow') return allowed
    if (verdict.outcome === 'unknown') return unknown
    const step = deciding(verdict)
    if (step === undefined || /^(?:network|route)\./.test(step.code)) return nowhere
    return signOfLayer.get(layerOf(step) ?? '') ?? unnamed
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

function layerOfVerdict(verdict: Verdict): string | undefined {
  const step = deciding(verdict)
  return step === undefined ? undefined : layerOf(step)
}

function deciding({ decidedBy, steps }: Verdict): Verdict['steps'][number] | undefined {
  return decidedBy === undefined ? undefined : steps[decidedBy.step]
}
