import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { duplicateKey } from '../indexes/describe.js'
import { idIndex, withIndexes } from '../indexes/specs.js'
import { checkOptions, checkValid } from '../validation/validate.js'
import { compare } from '../values/compare.js'
import { asideNs, asideSchema, setAside as putAside } from './aside.js'
import { Draft, holderOf, type Placement } from './draft.js'
import type { Gate } from './gate.js'
import { checkNamespace } from './names.js'
import { Reading } from './reading.js'
import { type Change, databaseOf, type Schema, type State } from './state.js'
import { bytesOf, StoredDocument, withId } from './stored.js'
import type { Edit } from './tree.js'
import type { Aside, CollectionOptions, IndexSpec, Stored, WriteUnit } from './types.js'

/** One statement's or transaction's writes on top of a state. Nothing of it is seen until `result` is put in force. */
export class Unit extends Reading implements WriteUnit {
  readonly #gate: Gate
  readonly #drafts = new Map<string, Draft | undefined>()
  readonly #changes: Change[] = []
  #state: State
  #edit: Edit = {}

  constructor(state: State, gate: Gate) {
    super()
    this.#state = state
    this.#gate = gate
  }

  /** What it has done, in order. */
  get changes(): readonly Change[] {
    return this.#changes
  }

  /** The state with it in force. */
  result(): State {
    for (const [ns, draft] of this.#drafts) {
      this.#state =
        draft === undefined ? this.#state.delete(ns, this.#edit) : this.#state.set(ns, draft.freeze(), this.#edit)
    }
    this.#drafts.clear()
    this.#edit = {}
    return this.#state
  }

  /** Whoever reads keeps what he has got, whatever is written meanwhile. */
  protected override view(): State {
    return this.result()
  }

  insert(ns: string, doc: Document): void {
    const draft = this.#draftOf(ns) ?? this.#create(ns, {})
    this.#gate.collection(draft.schema)
    const whole = withId(doc)
    const raw = bytesOf(whole)
    checkValid(draft.schema, whole, undefined, this.#gate)
    const places = this.#checked(draft, whole, undefined, undefined)
    this.#put(draft, new StoredDocument(this.#gate.nextRecord(), raw), places, undefined)
  }

  replace(ns: string, old: Stored, next: Document): void {
    const { draft, current } = this.#current(ns, old)
    const id: unknown = current.doc._id
    if (next._id !== undefined && compare(next._id, id) !== 0) {
      throw new MongoError('ImmutableField', "the (immutable) field '_id' of a document cannot be changed")
    }
    const whole = withId({ ...next, _id: id })
    const raw = bytesOf(whole)
    checkValid(draft.schema, whole, current, this.#gate)
    this.#gate.document(draft.schema, current.record)
    const before = draft.placements(current.doc)
    const places = this.#checked(draft, whole, current, before)
    this.#put(draft, new StoredDocument(current.record, raw), places, before)
  }

  remove(ns: string, old: Stored): void {
    const { draft, current } = this.#current(ns, old)
    this.#gate.document(draft.schema, current.record)
    for (const { index, keys } of draft.placements(current.doc)) {
      if (index.shape.unique) for (const key of keys.keys) this.#gate.key(draft.schema, index.spec.name, key)
    }
    draft.remove(current.record, this.#edit)
    this.#changes.push({ kind: 'remove', ns, id: draft.schema.id, record: current.record })
  }

  createCollection(ns: string, options: CollectionOptions): void {
    const draft = this.#draftOf(ns)
    if (draft === undefined) {
      this.#create(ns, options)
      return
    }
    if (isDeepStrictEqual(draft.schema.options, options)) return
    throw new MongoError('NamespaceExists', `a collection '${ns}' already exists, with other options`)
  }

  collMod(ns: string, options: CollectionOptions): void {
    const draft = this.#existing(ns)
    this.#change(draft, { ...draft.schema, options: { ...draft.schema.options, ...options } })
  }

  drop(ns: string): boolean {
    const draft = this.#draftOf(ns)
    if (draft === undefined) return false
    this.#gate.schema(ns, draft.schema)
    this.#drafts.set(ns, undefined)
    this.#changes.push({ kind: 'drop', ns, id: draft.schema.id })
    return true
  }

  dropDatabase(db: string): void {
    for (const { ns } of this.collections(db)) this.drop(ns)
  }

  createIndexes(ns: string, specs: readonly IndexSpec[]): { readonly before: number; readonly after: number } {
    const draft = this.#draftOf(ns) ?? this.#create(ns, {})
    const before = draft.schema.indexes.length
    const indexes = withIndexes(draft.schema.indexes, specs)
    if (indexes.length > before) this.#change(draft, { ...draft.schema, indexes })
    return { before, after: indexes.length }
  }

  dropIndex(ns: string, name: string): void {
    const draft = this.#existing(ns)
    if (name === idIndex.name) throw new MongoError('InvalidOptions', 'cannot drop _id index')
    const indexes = draft.schema.indexes.filter((spec) => spec.name !== name)
    if (indexes.length === draft.schema.indexes.length) {
      throw new MongoError('IndexNotFound', `index not found with name [${name}]`)
    }
    this.#change(draft, { ...draft.schema, indexes })
  }

  setAside(name: string, row: Aside | undefined): void {
    const draft =
      this.#draftOf(asideNs) ?? (row === undefined ? undefined : this.#begin(asideSchema(this.#gate.nextCollection())))
    const change =
      draft === undefined ? undefined : putAside(draft, name, row, this.#edit, () => this.#gate.nextRecord())
    if (change !== undefined) this.#changes.push(change)
  }

  /** Does what has been done elsewhere, and was checked there. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'schema') {
        const draft = this.#draftOf(change.schema.ns)
        if (draft === undefined) this.#drafts.set(change.schema.ns, Draft.of(change.schema))
        else draft.change(change.schema)
      } else if (change.kind === 'drop') this.#drafts.set(change.ns, undefined)
      else {
        const draft = this.#existing(change.ns)
        if (change.kind === 'put') {
          const { document } = change
          const old = draft.documents.get(document.record)
          const before = old === undefined ? undefined : draft.placements(old.doc)
          draft.put(document, draft.placements(document.doc), before, this.#edit)
        } else draft.remove(change.record, this.#edit)
      }
      this.#changes.push(change)
    }
  }

  #put(
    draft: Draft,
    document: StoredDocument,
    places: readonly Placement[],
    before: readonly Placement[] | undefined,
  ): void {
    draft.put(document, places, before, this.#edit)
    this.#changes.push({ kind: 'put', ns: draft.schema.ns, id: draft.schema.id, document })
  }

  /** Where the document will stand. @throws MongoError DuplicateKey */
  #checked(
    draft: Draft,
    doc: Document,
    old: StoredDocument | undefined,
    before: readonly Placement[] | undefined,
  ): readonly Placement[] {
    const places = draft.placements(doc)
    for (const [at, { index, keys }] of places.entries()) {
      if (!index.shape.unique) continue
      const held = before?.[at]?.keys.keys ?? []
      for (const key of held) if (!keys.keys.includes(key)) this.#gate.key(draft.schema, index.spec.name, key)
      for (const key of keys.keys) {
        if (held.includes(key)) continue
        this.#gate.key(draft.schema, index.spec.name, key)
        if (holderOf(index, key, old?.record) !== undefined) throw duplicateKey(draft.schema.ns, index.spec, doc)
      }
    }
    return places
  }

  #current(ns: string, old: Stored): { readonly draft: Draft; readonly current: StoredDocument } {
    const draft = this.#existing(ns)
    const current = old instanceof StoredDocument ? draft.documents.get(old.record) : undefined
    // Whoever writes has read what he changes in the same unit; another document in its place would be lost unseen.
    if (current === undefined || current !== old) {
      throw new MongoError('InternalError', `a document of ${ns} that is to be changed is no longer as it was read`)
    }
    this.#gate.collection(draft.schema)
    return { draft, current }
  }

  #create(ns: string, options: CollectionOptions): Draft {
    checkNamespace(ns)
    this.#gate.schema(ns, undefined)
    const schema: Schema = {
      id: this.#gate.nextCollection(),
      ns,
      uuid: Buffer.from(randomUUID().replaceAll('-', ''), 'hex'),
      options,
      indexes: [idIndex],
    }
    checkOptions(schema)
    return this.#begin(schema)
  }

  #begin(schema: Schema): Draft {
    const draft = Draft.of(schema)
    this.#drafts.set(schema.ns, draft)
    this.#changes.push({ kind: 'schema', schema })
    return draft
  }

  #change(draft: Draft, schema: Schema): void {
    checkOptions(schema)
    this.#gate.schema(schema.ns, draft.schema)
    draft.change(schema)
    this.#changes.push({ kind: 'schema', schema })
  }

  #existing(ns: string): Draft {
    const draft = this.#draftOf(ns)
    if (draft !== undefined) return draft
    throw new MongoError('NamespaceNotFound', `ns does not exist: ${ns} (database ${databaseOf(ns)})`)
  }

  #draftOf(ns: string): Draft | undefined {
    if (this.#drafts.has(ns)) return this.#drafts.get(ns)
    const state = this.#state.get(ns)
    if (state === undefined) return undefined
    const draft = new Draft(state)
    this.#drafts.set(ns, draft)
    return draft
  }
}
