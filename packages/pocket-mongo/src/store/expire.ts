import type { Document } from 'bson'
import { compileFilter } from '../query/filter.js'
import type { State } from './state.js'
import type { IndexSpec, Stored, WriteUnit } from './types.js'

/** MongoDB's ttlMonitorSleepSecs. */
export const sweepEveryMs = 60_000

/** So many go in one command: others have their turn in between. */
const mostAtOnce = 1000

export interface Expiry {
  readonly ns: string
  readonly spec: IndexSpec
  readonly seconds: number
}

/** Indexes whose documents have an end. */
export function* expiries(state: State): IterableIterator<Expiry> {
  for (const { schema } of state.values()) {
    for (const spec of schema.indexes) {
      if (spec.expireAfterSeconds !== undefined) yield { ns: schema.ns, spec, seconds: spec.expireAfterSeconds }
    }
  }
}

/**
 * Removes documents whose date lies so many seconds back (of several dates in an array the earliest counts; what holds no
 * date stays for ever).
 *
 * @returns true when there may be more
 */
export function sweep(unit: WriteUnit, { ns, spec, seconds }: Expiry, now: number): boolean {
  const due = dueFilter(spec, new Date(now - seconds * 1000))
  const matches = compileFilter(due)
  const found: Stored[] = []
  for (const stored of unit.candidates(ns, due).documents) {
    if (!matches(stored.doc)) continue
    found.push(stored)
    if (found.length === mostAtOnce) break
  }
  for (const stored of found) unit.remove(ns, stored)
  return found.length === mostAtOnce
}

/** With a partial index, only what it holds. */
function dueFilter({ key, partialFilterExpression }: IndexSpec, until: Date): Document {
  const [path = ''] = Object.keys(key)
  const due = { [path]: { $lte: until } }
  return partialFilterExpression === undefined ? due : { $and: [partialFilterExpression, due] }
}
