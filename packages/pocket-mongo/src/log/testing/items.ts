import { join } from 'node:path'
import type { Document } from 'bson'
import type { ReadUnit, Store } from '../../store/types.js'

/** The collection of tests that need but one. */
export const ns = 'shop.items'

export const all = (unit: ReadUnit): readonly Document[] => [...unit.candidates(ns, {}).documents].map(({ doc }) => doc)

export const idsOf = (store: Store): readonly unknown[] => store.read((unit) => all(unit).map(({ _id }) => _id))

export const insert = (store: Store, _id: number, more: Document = {}): Promise<void> =>
  store.write((unit) => unit.insert(ns, { _id, ...more }))

export const logIn = (folder: string): string => join(folder, 'store.log')
