import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import type { Store } from '../store/types.js'
import { isPlain } from '../values/decode.js'

/** Where MongoDB keeps it too. */
const NAMESPACE = 'local.system.replset'

/**
 * A replica set of this one member: what drivers want to see before they use transactions and ask again after a lost
 * connection. Nothing is replicated.
 */
export class ReplicaSet {
  readonly name: string
  readonly #store: Store
  readonly #initiated: boolean
  #config: Document | undefined

  /** @param initiated its member is whatever address a client has dialled; else it waits for `replSetInitiate` */
  constructor(store: Store, name: string, initiated: boolean) {
    this.name = name
    this.#store = store
    this.#initiated = initiated
    const [kept] = store.read((unit) => [...unit.candidates(NAMESPACE, {}).documents])
    this.#config = kept?.doc
  }

  get isPrimary(): boolean {
    return this.#initiated || this.#config !== undefined
  }

  /** @param dialled the address of this server that the asking client has */
  memberAt(dialled: string): string {
    const members: unknown = this.#config?.members
    const [first]: unknown[] = Array.isArray(members) ? members : []
    const host: unknown = isPlain(first) ? first.host : undefined
    return typeof host === 'string' ? host : dialled
  }

  configAt(dialled: string): Document {
    if (!this.isPrimary) throw notYet()
    return this.#config ?? { _id: this.name, version: 1, members: [{ _id: 0, host: dialled }] }
  }

  /** @throws MongoError AlreadyInitialized, InvalidReplicaSetConfig */
  async initiate(asked: Document | undefined, dialled: string): Promise<void> {
    if (this.isPrimary) throw new MongoError('AlreadyInitialized', 'already initialized')
    const config = asked === undefined || Object.keys(asked).length === 0 ? { _id: this.name } : asked
    const members: unknown = config.members ?? [{ _id: 0, host: dialled }]
    if (config._id !== this.name)
      throw new MongoError(
        'InvalidReplicaSetConfig',
        `the set's name is '${this.name}' here, and ${JSON.stringify(config._id)} in what was asked for`,
      )
    if (!Array.isArray(members) || members.length !== 1 || !isPlain(members[0]) || typeof members[0].host !== 'string')
      throw new MongoError('InvalidReplicaSetConfig', 'this server is a replica set of one member, which has a host')
    const kept = { version: 1, ...config, _id: this.name, members }
    await this.#store.write((unit) => unit.insert(NAMESPACE, kept))
    this.#config = kept
  }
}

export const notYet = (): MongoError => new MongoError('NotYetInitialized', 'no replset config has been received')
