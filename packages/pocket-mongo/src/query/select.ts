import type { Document } from 'bson'
import type { ReadUnit, Stored } from '../store/types.js'
import type { Filter } from './filter.js'
import { readSort, sorted } from './sort.js'

export interface Selection {
  readonly filter: Document
  /** The same, compiled. */
  readonly matches: Filter
  readonly sort?: Document | undefined
  readonly skip?: number | undefined
  /** 0 and undefined: all. */
  readonly limit?: number | undefined
  /** Called for each document that is looked at; may throw to give up. */
  readonly tick: (work?: number) => void
}

/** The documents of a collection that match, in order, by the best index that the store has. */
export function select(unit: ReadUnit, ns: string, selection: Selection): readonly Stored[] {
  const { filter, matches, skip = 0, tick } = selection
  const sort = selection.sort === undefined ? undefined : readSort(selection.sort)
  const isSorted = sort !== undefined && Object.keys(sort).length > 0
  const limit = selection.limit === undefined || selection.limit === 0 ? Number.POSITIVE_INFINITY : selection.limit
  const found: Stored[] = []
  const candidates = isSorted ? unit.candidates(ns, filter, sort) : unit.candidates(ns, filter)
  const enough = !isSorted || candidates.sorted ? skip + limit : Number.POSITIVE_INFINITY
  for (const candidate of candidates.documents) {
    tick()
    if (!matches(candidate.doc)) continue
    found.push(candidate)
    if (found.length >= enough) break
  }
  const inOrder = isSorted && !candidates.sorted ? sorted(found, ({ doc }) => doc, sort, { tick }) : found
  return skip === 0 && inOrder.length <= limit ? inOrder : inOrder.slice(skip, skip + limit)
}
