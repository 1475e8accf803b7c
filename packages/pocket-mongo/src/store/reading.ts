import type { Document } from 'bson'
import { planFor } from '../indexes/plan.js'
import { asideNs, isListed } from './aside.js'
import { type CollectionState, databaseOf, namespacesOf, type State } from './state.js'
import type { StoredDocument } from './stored.js'
import type { Tree } from './tree.js'
import type { CollectionInfo, IndexSpec, ReadUnit, Stored } from './types.js'

/** Everything that can be asked of a state. */
export abstract class Reading implements ReadUnit {
  protected abstract view(): State

  databases(): readonly { readonly name: string; readonly sizeOnDisk: number }[] {
    const sizes = new Map<string, number>()
    for (const { schema, bytes } of this.view().values()) {
      if (!isListed(schema.ns)) continue
      const name = databaseOf(schema.ns)
      sizes.set(name, (sizes.get(name) ?? 0) + bytes)
    }
    return [...sizes].map(([name, sizeOnDisk]) => ({ name, sizeOnDisk })).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  collections(db: string): readonly CollectionInfo[] {
    return [...this.view().values(namespacesOf(db))].map(infoOf)
  }

  collection(ns: string): CollectionInfo | undefined {
    const found = this.view().get(ns)
    return found === undefined ? undefined : infoOf(found)
  }

  indexes(ns: string): readonly IndexSpec[] {
    return this.view().get(ns)?.schema.indexes ?? []
  }

  count(ns: string): number {
    return this.view().get(ns)?.documents.size ?? 0
  }

  *aside(): IterableIterator<Document> {
    for (const { doc } of this.view().get(asideNs)?.documents.values() ?? []) yield doc
  }

  candidates(
    ns: string,
    filter: Document,
    sort?: Readonly<Record<string, 1 | -1>>,
  ): { readonly documents: Iterable<Stored>; readonly sorted: boolean; readonly index?: string } {
    const collection = this.view().get(ns)
    if (collection === undefined) return { documents: [], sorted: true }
    const { documents, indexes } = collection
    const plan = planFor(indexes, filter, sort)
    if (plan === undefined) return { documents: { [Symbol.iterator]: () => documents.values() }, sorted: false }
    const { index, ranges, sorted } = plan
    return {
      documents: { [Symbol.iterator]: () => through(documents, index.tree, ranges, index.multikey) },
      sorted,
      index: index.spec.name,
    }
  }
}

/** The state as it is, for whoever only reads. */
export class Snapshot extends Reading {
  readonly #state: State

  constructor(state: State) {
    super()
    this.#state = state
  }

  protected override view(): State {
    return this.#state
  }
}

const infoOf = ({ schema: { ns, uuid, options } }: CollectionState): CollectionInfo => ({ ns, uuid, options })

function* through(
  documents: Tree<number, StoredDocument>,
  tree: Tree<string, number>,
  ranges: Iterable<Parameters<Tree<string, number>['values']>[0]>,
  multikey: boolean,
): IterableIterator<Stored> {
  // A document with an array is in the index once for each element.
  const seen = multikey ? new Set<number>() : undefined
  for (const range of ranges) {
    for (const record of tree.values(range)) {
      if (seen?.has(record) === true) continue
      seen?.add(record)
      const found = documents.get(record)
      if (found !== undefined) yield found
    }
  }
}
