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

/** What became of a flow, as far as it is drawn: one of these, or `layer ` and the layer that stops it. */
const drawn = {
  allowed: { sign: '✓', says: 'allowed' },
  unnamed: { sign: 'x', says: 'stopped by a policy outside of the layers' },
  nowhere: { sign: '·', says: 'nothing answers there' },
  unknown: { sign: '?', says: 'cannot be said: something that decides is not modelled' },
  /** Nobody is asked about himself. */
  own: { sign: '', says: '' },
} as const
type Kind = keyof typeof drawn | `layer ${string}`

export function tableOf({ sources, destinations, cells }: Matrix): Table {
  const columnOf = new Map(destinations.map((name, column) => [name, column]))
  const bySource = new Map(sources.map((source) => [source, destinations.map((): Kind => 'own')]))
  for (const { from, to, verdict } of cells) {
    const [row, column] = [bySource.get(from), columnOf.get(to)]
    if (row !== undefined && column !== undefined) row[column] = kindOf(verdict)
  }
  const rows: { sources: string[]; kinds: Kind[] }[] = []
  for (const [source, kinds] of bySource) {
    const alike = rows.find((row) => row.kinds.every((kind, column) => fits(kind, kinds[column] ?? 'own')))
    if (alike === undefined) rows.push({ sources: [source], kinds })
    else {
      alike.sources.push(source)
      alike.kinds = alike.kinds.map((kind, column) => (kind === 'own' ? (kinds[column] ?? kind) : kind))
    }
  }
  const used = new Set(rows.flatMap(({ kinds }) => kinds))
  const layers = signsOf(used)
  const signOf = (kind: Kind): string => layers.get(kind) ?? (isPlain(kind) ? drawn[kind].sign : drawn.unnamed.sign)
  return {
    columns: destinations,
    rows: rows.map(({ sources: callers, kinds }) => ({ sources: callers, signs: kinds.map(signOf) })),
    legend: [
      ...(used.has('allowed') ? [drawn.allowed] : []),
      ...[...layers].map(([kind, sign]) => ({ sign, says: `stopped by ${kind.slice('layer '.length)}` })),
      ...(['unnamed', 'nowhere', 'unknown'] as const).flatMap((kind) => (used.has(kind) ? [drawn[kind]] : [])),
      ...(used.has('own') ? [{ sign: '(empty)', says: 'is itself' }] : []),
    ],
  }
}

/** What a source is not asked about itself keeps it from no row. */
const fits = (a: Kind, b: Kind): boolean => a === b || a === 'own' || b === 'own'

const isPlain = (kind: Kind): kind is keyof typeof drawn => Object.hasOwn(drawn, kind)

function kindOf({ outcome, decidedBy, steps }: Verdict): Kind {
  if (outcome === 'allow') return 'allowed'
  if (outcome === 'unknown') return 'unknown'
  const step = decidedBy === undefined ? undefined : steps[decidedBy.step]
  if (step === undefined || /^(?:network|route)\./.test(step.code)) return 'nowhere'
  const layer = layerOf(step)
  return layer === undefined ? 'unnamed' : `layer ${layer}`
}

/** A sign for each layer: its number; of two that isolate together the first letters of both. */
function signsOf(used: ReadonlySet<Kind>): ReadonlyMap<Kind, string> {
  const signs = new Map<Kind, string>()
  const taken = new Set<string>()
  for (const kind of [...used].filter((one) => !isPlain(one)).sort()) {
    const [first = '', second] = kind.slice('layer '.length).split(' and ')
    const short = second === undefined ? first.slice(0, 2) : `${first.charAt(0)}${second.charAt(0)}`
    const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `${short.charAt(0)}${letter}`)
    const sign = [short, ...letters].find((candidate) => !taken.has(candidate)) ?? drawn.unnamed.sign
    taken.add(sign)
    signs.set(kind, sign)
  }
  return signs
}
