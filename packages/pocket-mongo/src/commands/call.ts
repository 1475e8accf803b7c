import type { Document } from 'bson'
import type { Connection } from '../connection/connection.js'
import type { CursorOwner } from '../cursors/cursors.js'
import { MongoError } from '../errors.js'
import { Budget } from '../query/budget.js'
import type { Instance } from '../server/instance.js'
import type { OpenTransaction, Session } from '../sessions/sessions.js'
import { checkNamespace } from '../store/names.js'
import type { ReadUnit, WriteUnit } from '../store/types.js'
import { numberOf } from '../values/show.js'
import { Fields } from './fields.js'
import type { Command } from './types.js'

/** The longest time that a timer here can be set to. */
const LONGEST_MS = 2 ** 31 - 1
const timedOut = (): MongoError => new MongoError('MaxTimeMSExpired', 'operation exceeded time limit')

/** One command under way: what was asked, by whom, and what it may use. */
export class Call {
  readonly command: Command
  readonly fields: Fields
  readonly db: string
  readonly instance: Instance
  readonly connection: Connection
  /** Absent: none was named. */
  readonly session: Session | undefined
  transaction: OpenTransaction | undefined
  /** What is kept together with what it writes: its answer, for whoever asks again. The `work` of such a command returns that. */
  alsoKept: ((unit: WriteUnit, answer: unknown) => void) | undefined
  readonly #deadline: number | undefined
  /** What it may still do. */
  readonly budget: Budget

  constructor(options: {
    readonly command: Command
    readonly body: Document
    readonly db: string
    readonly instance: Instance
    readonly connection: Connection
    readonly session: Session | undefined
  }) {
    this.command = options.command
    this.fields = new Fields(options.body, options.command.name)
    this.db = options.db
    this.instance = options.instance
    this.connection = options.connection
    this.session = options.session
    const limit = Math.min(this.fields.count('maxTimeMS') ?? 0, LONGEST_MS)
    this.#deadline = limit === 0 ? undefined : Date.now() + limit
    this.budget = new Budget(this.#deadline)
  }

  /** `database.collection` of the command. @throws MongoError InvalidNamespace */
  get ns(): string {
    const [name = ''] = Object.keys(this.fields.document)
    const collection: unknown = this.fields.document[name]
    if (typeof collection !== 'string')
      throw new MongoError('InvalidNamespace', `collection name has invalid type ${typeof collection}`)
    const ns = `${this.db}.${collection}`
    checkNamespace(ns)
    return ns
  }

  /** Who its cursors belong to. */
  get owner(): CursorOwner {
    return {
      user: this.connection.user,
      session: this.session?.key,
      transaction: this.transaction?.number,
    }
  }

  /** Called for each document that is looked at. @throws MongoError MaxTimeMSExpired */
  get tick(): (work?: number) => void {
    return this.budget.tick
  }

  read<T>(work: (unit: ReadUnit) => T): T {
    return this.transaction === undefined ? this.instance.store.read(work) : this.transaction.inner.run(work)
  }

  /** What it writes is kept when this resolves, unless the client said that it need not be (`j: false`, `w: 0`). */
  async write<T>(work: (unit: WriteUnit) => T): Promise<T> {
    if (this.transaction !== undefined) return this.transaction.inner.run(work)
    const concern = this.fields.object('writeConcern')
    const durable = concern?.j !== false && numberOf(concern?.w ?? 1) !== 0
    if (this.#deadline === undefined) return this.instance.store.write(work, { durable, also: this.alsoKept })
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(timedOut()), Math.max(this.#deadline - Date.now(), 1))
    try {
      return await this.instance.store.write(work, { durable, signal: abort.signal, also: this.alsoKept })
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error
    } finally {
      clearTimeout(timer)
    }
  }
}
