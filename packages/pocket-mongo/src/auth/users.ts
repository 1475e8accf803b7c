import { type Document, ObjectId } from 'bson'
import { MongoError } from '../errors.js'
import type { Store, Stored } from '../store/types.js'
import { isPlain } from '../values/decode.js'
import { isRoot, type Role, readRoles } from './roles.js'
import { type Credential, credentialOf, isPasswordOf } from './scram.js'

/** Where MongoDB keeps them too; commands other than those for users do not reach it. */
export const USERS = 'admin.system.users'

export interface User {
  /** `database.name`: who a login is by. */
  readonly id: string
  readonly name: string
  readonly db: string
  readonly roles: readonly Role[]
  readonly credential: Credential
}

/** All users, read from the store at the start and kept beside it. */
export class Users {
  readonly #store: Store
  readonly #users = new Map<string, User>()

  constructor(store: Store) {
    this.#store = store
    const kept = store.read((unit) => [...unit.candidates(USERS, {}).documents])
    for (const { doc } of kept) {
      const user = userOf(doc)
      this.#users.set(user.id, user)
    }
  }

  find(db: string, name: string): User | undefined {
    return this.#users.get(`${db}.${name}`)
  }

  byId(id: string): User | undefined {
    return this.#users.get(id)
  }

  of(db: string | undefined): readonly User[] {
    return [...this.#users.values()].filter((user) => db === undefined || user.db === db)
  }

  /** The user of the options, with all rights and this password, whatever was kept of it. */
  async ensureRoot(name: string, password: string): Promise<void> {
    const roles: readonly Role[] = [{ role: 'root', db: 'admin' }]
    const found = this.find('admin', name)
    if (found === undefined) return this.create('admin', name, password, roles)
    const same = found.roles.some(isRoot) && (await isPasswordOf(found.credential, password))
    if (!same) await this.update('admin', name, { password, roles })
  }

  /** @throws MongoError Location51003 (there is one) */
  async create(db: string, name: string, password: string, roles: readonly Role[]): Promise<void> {
    if (name === '') throw new MongoError('BadValue', 'User document needs a name that is not empty')
    refuseEmpty(password)
    if (this.find(db, name) !== undefined) throw there(db, name)
    const user: User = { id: `${db}.${name}`, name, db, roles, credential: await credentialOf(password) }
    await this.#store.write((unit) => {
      const [old] = [...unit.candidates(USERS, { _id: user.id }).documents]
      if (old?.doc._id === user.id) throw there(db, name)
      unit.insert(USERS, documentOf(user))
    })
    this.#users.set(user.id, user)
  }

  /** @throws MongoError UserNotFound */
  async update(
    db: string,
    name: string,
    change: { readonly password?: string | undefined; readonly roles?: readonly Role[] | undefined },
  ): Promise<void> {
    const user = this.find(db, name)
    if (user === undefined) throw notThere(db, name)
    if (change.password !== undefined) refuseEmpty(change.password)
    const next: User = {
      ...user,
      roles: change.roles ?? user.roles,
      credential: change.password === undefined ? user.credential : await credentialOf(change.password),
    }
    await this.#store.write((unit) =>
      unit.replace(USERS, stored(unit.candidates(USERS, { _id: user.id }).documents, user), documentOf(next)),
    )
    this.#users.set(user.id, next)
  }

  /** @throws MongoError UserNotFound */
  async drop(db: string, name: string): Promise<void> {
    const user = this.find(db, name)
    if (user === undefined) throw notThere(db, name)
    await this.#store.write((unit) =>
      unit.remove(USERS, stored(unit.candidates(USERS, { _id: user.id }).documents, user)),
    )
    this.#users.delete(user.id)
  }
}

function stored(candidates: Iterable<Stored>, user: User): Stored {
  for (const candidate of candidates) if (candidate.doc._id === user.id) return candidate
  throw notThere(user.db, user.name)
}

function refuseEmpty(password: string): void {
  if (password === '') throw new MongoError('BadValue', 'Password cannot be empty')
}

const there = (db: string, name: string): MongoError =>
  new MongoError('Location51003', `User "${name}@${db}" already exists`)
const notThere = (db: string, name: string): MongoError =>
  new MongoError('UserNotFound', `Could not find user "${name}" for db "${db}"`)

const documentOf = ({ id, name, db, roles, credential }: User): Document => ({
  _id: id,
  userId: new ObjectId(),
  user: name,
  db,
  credentials: { 'SCRAM-SHA-256': { ...credential } },
  roles: roles.map((role) => ({ ...role })),
})

function userOf(doc: Document): User {
  const { _id: id, user: name, db, credentials }: Document = doc
  const scram: unknown = isPlain(credentials) ? credentials['SCRAM-SHA-256'] : undefined
  const { iterationCount, salt, storedKey, serverKey }: Document = isPlain(scram) ? scram : {}
  if (typeof id !== 'string' || typeof name !== 'string' || typeof db !== 'string')
    throw new Error(`a document of ${USERS} is no user: ${JSON.stringify(id)}`)
  const credential = {
    iterationCount: Number(iterationCount),
    salt: String(salt),
    storedKey: String(storedKey),
    serverKey: String(serverKey),
  }
  return { id, name, db, roles: readRoles(doc.roles, db), credential }
}
