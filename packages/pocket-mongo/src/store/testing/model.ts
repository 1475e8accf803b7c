import type { Document } from 'bson'

/*
 * What the store should do, as simple as it can be said: documents in a map, and for each write the reasons why it would
 * wait, conflict or be a duplicate. One collection, `_id` and a sparse unique field `a`.
 */

export interface Row {
  readonly doc: Document
  /** Another one whenever the document is made anew. */
  readonly record: number
}

type Rows = ReadonlyMap<number, Row>

export type Verdict = 'done' | 'duplicate' | 'conflict' | 'blocked' | 'nothing'

export type Write =
  | { readonly kind: 'insert'; readonly id: number; readonly a: number | undefined }
  | { readonly kind: 'replace'; readonly id: number; readonly a: number | undefined }
  | { readonly kind: 'remove'; readonly id: number }

export class ModelTransaction {
  readonly base: Rows
  readonly locks = new Set<string>()
  readonly touched = new Set<number>()
  view: Map<number, Row>

  constructor(base: Rows) {
    this.base = base
    this.view = new Map(base)
  }
}

export class Model {
  rows: Map<number, Row> = new Map()
  readonly open = new Set<ModelTransaction>()
  #records = 0

  begin(): ModelTransaction {
    const transaction = new ModelTransaction(new Map(this.rows))
    this.open.add(transaction)
    return transaction
  }

  write(write: Write, revision: number, transaction?: ModelTransaction): Verdict {
    const view = transaction?.view ?? this.rows
    const old = view.get(write.id)
    if (write.kind !== 'insert' && old === undefined) return 'nothing'
    const steps = stepsOf(write, old)
    for (const step of steps) {
      const locked = [...this.open].some((other) => other !== transaction && other.locks.has(lockOf(step)))
      if (transaction === undefined) {
        if (locked) return 'blocked'
      } else {
        if (locked || holder(transaction.base, step) !== holder(this.rows, step)) {
          this.open.delete(transaction)
          return 'conflict'
        }
        transaction.locks.add(lockOf(step))
      }
      if (step.takes && recordOf(view, step) !== undefined) return 'duplicate'
    }
    if (write.kind === 'remove') view.delete(write.id)
    else {
      const record = write.kind === 'insert' ? ++this.#records : (old as Row).record
      view.set(write.id, { doc: docOf(write, revision), record })
    }
    transaction?.touched.add(write.id)
    return 'done'
  }

  commit(transaction: ModelTransaction): void {
    this.open.delete(transaction)
    for (const id of transaction.touched) {
      const row = transaction.view.get(id)
      if (row === undefined) this.rows.delete(id)
      else this.rows.set(id, row)
    }
  }
}

export const docOf = (write: { readonly id: number; readonly a?: number | undefined }, revision: number): Document => ({
  _id: write.id,
  ...(write.a === undefined ? {} : { a: write.a }),
  revision,
})

/** What a write lays its hand on, in the order in which it does. */
type Step =
  | { readonly what: 'row'; readonly id: number; readonly record: number; readonly takes: false }
  | { readonly what: 'id'; readonly id: number; readonly takes: boolean }
  | { readonly what: 'a'; readonly a: number; readonly takes: boolean }

function stepsOf(write: Write, old: Row | undefined): readonly Step[] {
  const a: number | undefined = old?.doc.a
  const given: Step[] = a === undefined ? [] : [{ what: 'a', a, takes: false }]
  const taken: Step[] = write.kind === 'remove' || write.a === undefined ? [] : [{ what: 'a', a: write.a, takes: true }]
  if (write.kind === 'insert') return [{ what: 'id', id: write.id, takes: true }, ...taken]
  const row: Step = { what: 'row', id: write.id, record: old?.record ?? 0, takes: false }
  if (write.kind === 'remove') return [row, { what: 'id', id: write.id, takes: false }, ...given]
  return a === write.a ? [row] : [row, ...given, ...taken]
}

const lockOf = (step: Step): string =>
  step.what === 'row' ? `row ${step.record}` : step.what === 'id' ? `id ${step.id}` : `a ${step.a}`

/** Another answer than at the transaction's beginning is a conflict. */
const holder = (rows: Rows, step: Step): unknown =>
  step.what === 'row' ? rowOf(rows, step.record)?.doc : recordOf(rows, step)

const rowOf = (rows: Rows, record: number): Row | undefined => [...rows.values()].find((row) => row.record === record)

function recordOf(rows: Rows, step: Step): number | undefined {
  if (step.what === 'id') return rows.get(step.id)?.record
  if (step.what === 'a') return [...rows.values()].find(({ doc }) => doc.a === step.a)?.record
  return undefined
}
