import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import type { Document } from 'bson'
import fc from 'fast-check'
import { MongoError } from '../errors.js'
import { openStore } from './open.js'
import { docOf, Model, type ModelTransaction, type Verdict, type Write } from './testing/model.js'
import type { ReadUnit, Store, Transaction, WriteUnit } from './types.js'

/*
 * The store against a model that is simple enough to be believed: writes, transactions that overlap, compaction and
 * closing, in any order. BULKHEAD_LONG=1 has more of them; BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 5000 : 60
const seed = process.env.BULKHEAD_SEED === undefined ? {} : { seed: Number(process.env.BULKHEAD_SEED) }

const ns = 'shop.items'

const id = fc.integer({ min: 0, max: 4 })
const a = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined })
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), id, a }),
  fc.record({ kind: fc.constant('replace' as const), id, a }),
  fc.record({ kind: fc.constant('remove' as const), id }),
)
const which = fc.integer({ min: 0, max: 2 })

type Step =
  | { readonly do: 'write'; readonly write: Write; readonly within: number | undefined }
  | { readonly do: 'begin' }
  | { readonly do: 'commit' | 'abort'; readonly which: number }
  | { readonly do: 'reopen' | 'compact' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('write' as const), write, within: fc.option(which, { nil: undefined }) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'begin' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'abort' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'compact' as const) }) },
)

/** False: there is no such document. */
function perform(unit: WriteUnit, write: Write, revision: number): boolean {
  if (write.kind === 'insert') {
    unit.insert(ns, docOf(write, revision))
    return true
  }
  const [old] = unit.candidates(ns, { _id: write.id }).documents
  if (old === undefined) return false
  if (write.kind === 'replace') unit.replace(ns, old, docOf(write, revision))
  else unit.remove(ns, old)
  return true
}

function verdictOf(error: unknown): Verdict {
  assert.ok(error instanceof MongoError, String(error))
  return error.codeName === 'DuplicateKey' ? 'duplicate' : error.codeName === 'WriteConflict' ? 'conflict' : 'nothing'
}

const byId = (x: Document, y: Document): number => x._id - y._id
const all = (unit: ReadUnit): readonly Document[] => [...unit.candidates(ns, {}).documents].map(({ doc }) => doc)

class Run {
  readonly #dataDir: string
  readonly #model = new Model()
  #open: { readonly model: ModelTransaction; readonly real: Transaction }[] = []
  #store: Store
  #revision = 0

  constructor(dataDir: string, store: Store) {
    this.#dataDir = dataDir
    this.#store = store
  }

  static async start(dataDir: string): Promise<Run> {
    const store = await openStore({ dataDir, sync: false })
    await store.write((unit) => {
      unit.createIndexes(ns, [{ name: 'a_1', key: { a: 1 }, unique: true, sparse: true }])
    })
    return new Run(dataDir, store)
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'begin':
        if (this.#open.length < 3) this.#open.push({ model: this.#model.begin(), real: this.#store.begin() })
        return
      case 'compact':
        await this.#store.compact()
        return
      case 'reopen':
        await this.#store.close()
        for (const { model } of this.#open.splice(0)) this.#model.open.delete(model)
        this.#store = await openStore({ dataDir: this.#dataDir, sync: false })
        return
      case 'commit':
      case 'abort': {
        const [ended] = this.#open.splice(step.which, 1)
        if (ended === undefined) return
        if (step.do === 'commit') {
          this.#model.commit(ended.model)
          await ended.real.commit()
        } else {
          this.#model.open.delete(ended.model)
          ended.real.abort()
        }
        return
      }
      case 'write':
        this.#revision += 1
        await this.#write(step.write, this.#open[step.within ?? -1])
    }
  }

  async #write(
    write: Write,
    within: { readonly model: ModelTransaction; readonly real: Transaction } | undefined,
  ): Promise<void> {
    const expected = this.#model.write(write, this.#revision, within?.model)
    if (within === undefined) {
      assert.equal(await this.#outside(write), expected)
      return
    }
    let verdict: Verdict
    try {
      verdict = within.real.run((unit) => perform(unit, write, this.#revision)) ? 'done' : 'nothing'
    } catch (error) {
      verdict = verdictOf(error)
    }
    assert.equal(verdict, expected)
    if (verdict === 'conflict') this.#open = this.#open.filter((open) => open !== within)
    assert.equal(within.real.state, verdict === 'conflict' ? 'aborted' : 'active')
  }

  /** A write that waits is given up at once: nobody would end what it waits for. */
  async #outside(write: Write): Promise<Verdict> {
    const giveUp = new AbortController()
    let attempts = 0
    const writing = this.#store.write(
      (unit) => {
        attempts += 1
        return perform(unit, write, this.#revision)
      },
      { signal: giveUp.signal },
    )
    // The work itself runs in this turn: one that has to wait has met the other's write by now.
    giveUp.abort(new Error('given up'))
    assert.equal(attempts, 1)
    try {
      return (await writing) ? 'done' : 'nothing'
    } catch (error) {
      return error instanceof Error && error.message === 'given up' ? 'blocked' : verdictOf(error)
    }
  }

  check(): void {
    const check = (unit: ReadUnit, rows: ReadonlyMap<number, { readonly doc: Document }>): void => {
      const expected = [...rows.values()].map(({ doc }) => doc).sort(byId)
      assert.deepEqual([...all(unit)].sort(byId), expected)
      assert.equal(unit.count(ns), expected.length)
      for (let value = 0; value < 4; value++) {
        const found = unit.candidates(ns, { a: value })
        assert.equal(found.index, 'a_1')
        assert.deepEqual(
          [...found.documents].map(({ doc }) => doc),
          expected.filter((doc) => doc.a === value),
        )
      }
    }
    this.#store.read((unit) => check(unit, this.#model.rows))
    for (const { model, real } of this.#open) real.run((unit) => check(unit, model.view))
  }

  async end(): Promise<void> {
    await this.#store.close()
  }
}

test('whatever is done, the store has what the model has, in every view, and after it was opened again', async (t) => {
  const folder = temporaryFolder(t)
  let number = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
      const dataDir = join(folder, String(++number))
      const run = await Run.start(dataDir)
      try {
        for (const step of [...steps, { do: 'reopen' } as const]) {
          await run.take(step)
          run.check()
        }
      } finally {
        await run.end()
        rmSync(dataDir, { recursive: true })
      }
    }),
    { numRuns, ...seed },
  )
})
