import type { Flow } from '@bulkhead/verdict'
import { type Answer, answerOf } from '../words.js'
import type { Matrix } from './types.js'

/** A matrix for programs. Keys in this order; nothing in it depends on the addresses of pods. */
export interface MatrixJson {
  readonly sources: readonly string[]
  readonly destinations: readonly string[]
  readonly cells: readonly ({ readonly from: string; readonly to: string; readonly flow: Flow } & Answer)[]
}

export function matrixJson({ sources, destinations, cells }: Matrix): MatrixJson {
  return {
    sources,
    destinations,
    cells: cells.map(({ from, to, flow, verdict }) => ({ from, to, flow, ...answerOf(verdict) })),
  }
}
