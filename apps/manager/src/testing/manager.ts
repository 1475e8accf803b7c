import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { schedulerOf, signStatement } from '@bulkhead/intents'
import { createLog, type Service } from '@bulkhead/service-kit'
import { cleanUp, type Scope } from '@bulkhead/testing'
import { type Db, MongoClient, type MongoClientOptions, ObjectId } from 'mongodb'
import supertest from 'supertest'
import { createApp } from '../app.js'
import { argon } from '../auth/passwords.js'
import { createTokens } from '../auth/tokens.js'
import { makeAdmin } from '../bootstrap/admin.js'
import { prepareUser } from '../bootstrap/database.js'
import { MemoryCluster } from '../kubernetes/memory.js'
import { RecordingPush } from '../push/recording.js'
import { createClient, type MongoConfig } from '../store/client.js'
import { type PolicyDoc, type RoleDoc, type UserDoc, type UserStatus, userStatus } from '../store/documents.js'
import { migrate } from '../store/migrations/run.js'
import { createStore } from '../store/store.js'
import type { Store } from '../store/types.js'
import { newUserDoc } from '../users/documents.js'
import { Documented, type OpenApi } from './documented.js'
import { type TestMongo, testMongo } from './mongo.js'

/** Somebody who is logged in. */
export interface TestUser {
  readonly id: ObjectId
  readonly username: string
  readonly password: string
  readonly token: string
}

export type Method = 'get' | 'post' | 'put' | 'delete'

/** Requests with somebody's token. */
export type As = { readonly [M in Method]: (path: string) => supertest.Test }

export interface NewTestUser {
  readonly username?: string
  readonly status?: UserStatus
  /** Names of roles that there are. */
  readonly roles?: readonly string[]
  /** Policies, or permission keys for everybody and every namespace: a role of them is made. */
  readonly policies?: readonly (string | (Partial<PolicyDoc> & Pick<PolicyDoc, 'permissionKey'>))[]
}

export interface TestManager {
  /** Listens on a port of its own; `supertest(service.server)` asks it, too, and its answers are held against nothing. */
  readonly service: Service
  readonly url: string
  /** Without a token. Each answer is held against the OpenAPI document: a status or a field that it does not have fails the test. */
  readonly agent: As
  readonly documented: Documented
  readonly store: Store
  /** The manager's database, as root sees it. */
  readonly db: Db
  readonly mongo: TestMongo
  /** Empty until a test puts pods and nodes into it. */
  readonly cluster: MemoryCluster
  readonly push: RecordingPush
  readonly key: KeyObject
  /** Signs what schedulers say of themselves; the service knows its public half. */
  readonly schedulerKey: KeyObject
  /** Requests of the scheduler of this node. */
  asScheduler(node: string): Promise<As>
  /** What the service has logged, as JSON lines. */
  readonly lines: readonly string[]
  /** The first admin, as the start makes him. */
  readonly admin: TestUser
  as(user: TestUser): As
  /** Somebody who is in the database already, logged in; he has no roles unless they are named. */
  user(options?: NewTestUser): Promise<TestUser>
  /** A token of this user as the database has him now. */
  tokenOf(id: ObjectId): Promise<string>
  /** Logs in over HTTP; the token. */
  login(username: string, password: string): Promise<string>
}

export interface TestManagerOptions {
  /** Another way to the database than straight: the host and port that the service is given. */
  readonly through?: (port: number) => Promise<{ readonly host: string; readonly port: number }>
  readonly mongo?: TestMongo
  /** For the service's client: shorter deadlines, for one. */
  readonly client?: MongoClientOptions
  /** After which a client that hangs is replaced. */
  readonly heartbeatMs?: number
}

const ADMIN = { email: 'admin@example.com', password: 'correct horse battery' }
const PASSWORD = 'a password of tests'
const MANAGER_PASSWORD = 'of the service'
const DATABASE = 'manager'

/** As the service logs in to a database that `startManager` has prepared. */
export const serviceMongo = (way: { readonly host: string; readonly port: number }): MongoConfig => ({
  ...{ ...way, user: 'manager', password: MANAGER_PASSWORD, database: DATABASE, options: '' },
})

// Made once for each file of tests: they cost more than everything else here.
let key: KeyObject | undefined
let schedulerKey: KeyObject | undefined
const hashes = new Map<string, Promise<string>>()

function hashOnce(password: string): Promise<string> {
  const made = hashes.get(password) ?? argon.hash(password)
  hashes.set(password, made)
  return made
}

/** The whole service in this process: its database in memory, a cluster and schedulers that the test says everything about. */
export async function startManager(t: Scope, options: TestManagerOptions = {}): Promise<TestManager> {
  const mongo = options.mongo ?? (await testMongo(t))
  const root = new MongoClient(mongo.rootUri, { directConnection: true })
  cleanUp(t, () => root.close())
  const database = DATABASE
  const db = root.db(database)
  await prepareUser(root, { database, user: 'manager', password: MANAGER_PASSWORD })
  await migrate(db, { owner: 'test', waitMs: 1_000 })

  const way = (await options.through?.(mongo.port)) ?? { host: '127.0.0.1', port: mongo.port }
  const config = serviceMongo(way)
  const store = createStore({
    make: () => createClient(config, options.client),
    database,
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  })
  key ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  schedulerKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ofSchedulers = schedulerKey
  const tokens = createTokens(key)
  const cluster = new MemoryCluster()
  const push = new RecordingPush()
  const lines: string[] = []
  const log = createLog({ name: 'manager', write: (line) => lines.push(line) })
  const service = createApp({
    store,
    cluster,
    push,
    log,
    config: { key, admin: ADMIN, schedulerKey: createPublicKey(ofSchedulers) },
  })
  cleanUp(t, () => service.close({ timeoutMs: 2_000 }))
  const { port } = (await service.listen({ host: '127.0.0.1', port: 0 })) as AddressInfo

  const users = db.collection<UserDoc>('users')
  const roles = db.collection<RoleDoc>('roles')
  await makeAdmin({ users, roles }, ADMIN, hashOnce)
  const server = supertest(service.server)
  const documented = new Documented((await server.get('/openapi.json').expect(200)).body as OpenApi)
  const asked = (method: Method, token?: string) => (path: string) => {
    const request = server[method](path).expect((response) => {
      const { status, body } = response
      // superagent keeps what it has sent, and its types do not say so.
      const { _data: sent } = (response as unknown as { request: { _data?: unknown } }).request
      const problem = documented.problemOf({ method: method.toUpperCase(), path, status, body, sent })
      // Of a failure that nobody foresaw, the log alone says why.
      const why = status === 500 ? lines.filter((line) => line.includes(String(response.headers['x-request-id']))) : []
      if (problem !== undefined) throw new Error([problem, ...why].join('\n'))
    })
    return token === undefined ? request : request.set('authorization', `Bearer ${token}`)
  }
  const asking = (token?: string): As => ({
    get: asked('get', token),
    post: asked('post', token),
    put: asked('put', token),
    delete: asked('delete', token),
  })
  const agent = asking()

  const tokenOf = async (id: ObjectId): Promise<string> => {
    const user = await users.findOne({ _id: id })
    if (user === null) throw new Error(`there is no user ${id.toHexString()}`)
    return tokens.sign({
      uid: id.toHexString(),
      needChangePassword: Number(user.status) === userStatus.mustChangePassword,
      tv: Number(user.tokenVersion),
    })
  }

  const logged = async (username: string, password: string): Promise<TestUser> => {
    const found = await users.findOne({ username })
    if (found === null) throw new Error(`there is no user ${JSON.stringify(username)}`)
    return { id: found._id, username, password, token: await tokenOf(found._id) }
  }

  let made = 0
  return {
    service,
    url: `http://127.0.0.1:${port}`,
    agent,
    documented,
    store,
    db,
    mongo,
    cluster,
    push,
    key,
    schedulerKey: ofSchedulers,
    asScheduler: async (node) => asking(await signStatement(ofSchedulers, schedulerOf(node), Date.now())),
    lines,
    admin: await logged(ADMIN.email, ADMIN.password),
    as: ({ token }) => asking(token),
    user: async ({ username = `user-${++made}`, status = 1, roles: names = [], policies } = {}) => {
      const held = await roles.find({ name: { $in: [...names] } }).toArray()
      if (held.length !== names.length) throw new Error(`not all of these roles are there: ${names.join(', ')}`)
      const roleIds = held.map(({ _id }) => _id)
      if (policies !== undefined) {
        const role = roleDoc(`role of ${username}`, policies)
        await roles.insertOne(role)
        roleIds.push(role._id)
      }
      await users.insertOne(newUserDoc({ username, phc: await hashOnce(PASSWORD), status, roleIds, now: Date.now() }))
      return logged(username, PASSWORD)
    },
    tokenOf,
    login: async (username, password) => {
      const { body } = await agent.post('/api/v1/auth/login').send({ username, password }).expect(200)
      return (body as { data: { token: string } }).data.token
    },
  }
}

function roleDoc(name: string, policies: NonNullable<NewTestUser['policies']>): RoleDoc {
  const by = new ObjectId()
  const { createdTime, updatedTime, version } = newUserDoc({ username: '', phc: '', status: 1, now: Date.now() })
  return {
    _id: by,
    name,
    description: '',
    policies: policies.map((given) => ({
      self: false,
      k8sNamespace: '',
      policyNamespace: '',
      ...(typeof given === 'string' ? { permissionKey: given } : given),
    })),
    createdTime,
    updatedTime,
    version,
    creatorID: by,
    updaterID: by,
  }
}
