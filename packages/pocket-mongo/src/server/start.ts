import { createServer, type Server } from 'node:net'
import { Users } from '../auth/users.js'
import { Connection } from '../connection/connection.js'
import { Cursors } from '../cursors/cursors.js'
import type { Log } from '../log.js'
import { Sessions } from '../sessions/sessions.js'
import { openStore } from '../store/open.js'
import type { Store } from '../store/types.js'
import { dispatch } from './dispatch.js'
import type { Instance } from './instance.js'
import { ReplicaSet } from './replica-set.js'
import { Topology } from './topology.js'

const SWEEP_MS = 10_000
const MAX_CONNECTIONS = 5_000
/** A command that runs while the server closes is answered within this, or cut off. */
const CLOSE_MS = 5_000

export interface MongoOptions {
  /** A store that is the caller's, who closes it. */
  readonly store?: Store
  /** A folder for a store of this server's own; without one, and without `store`, everything is in memory. */
  readonly dataDir?: string
  /** False: what is acknowledged may be lost with the machine, not with the process. Default true. */
  readonly sync?: boolean
  /** A user with all rights, in the database `admin`: made when there is none of that name, else given this password. Its presence turns `auth` on. */
  readonly root?: { readonly user: string; readonly password: string }
  /** Whether clients have to log in. Default: when there is a `root`, or there are users. */
  readonly auth?: boolean
  /**
   * A replica set of one member, which transactions need. `initiated`: it is one at once, at whatever address clients
   * dial; else it waits for `replSetInitiate`, as a mongod does.
   */
  readonly replicaSet?: { readonly name: string; readonly initiated?: boolean }
  readonly log?: Log
}

export interface Mongo {
  /** Listens where the caller says: `server.listen(27017)`. */
  readonly server: Server
  /** Ends connections after the commands that run, then its own store. May be called twice. */
  close(): Promise<void>
}

/**
 * An embedded server of MongoDB's wire protocol. It does not listen yet.
 *
 * @throws Error of the store, which says what to do: a folder that cannot be written, or that another process has
 */
export async function startMongo(options: MongoOptions = {}): Promise<Mongo> {
  const log: Log = options.log ?? (() => {})
  const own = options.store === undefined ? await openOwn(options, log) : undefined
  const store = options.store ?? own
  if (store === undefined) throw new Error('no store')
  try {
    const instance = await instanceOf(options, store, log)
    return serve(instance, own)
  } catch (error) {
    await own?.close()
    throw error
  }
}

function openOwn(options: MongoOptions, log: Log): Promise<Store> {
  return openStore({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.sync === undefined ? {} : { sync: options.sync }),
    note: (message) => log({ level: 'info', message }),
  })
}

async function instanceOf(options: MongoOptions, store: Store, log: Log): Promise<Instance> {
  const users = new Users(store)
  if (options.root !== undefined) await users.ensureRoot(options.root.user, options.root.password)
  const { replicaSet } = options
  return {
    store,
    users,
    sessions: new Sessions(store),
    cursors: new Cursors(),
    topology: new Topology(),
    replicaSet:
      replicaSet === undefined ? undefined : new ReplicaSet(store, replicaSet.name, replicaSet.initiated === true),
    auth: options.auth ?? users.of(undefined).length > 0,
    log,
  }
}

function serve(instance: Instance, own: Store | undefined): Mongo {
  const connections = new Set<Connection>()
  const server = createServer((socket) => {
    const connection = new Connection(socket, instance, (message, from) => dispatch(instance, message, from))
    connections.add(connection)
    socket.on('close', () => {
      connections.delete(connection)
      instance.sessions.connectionEnded(connection.id)
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  const sweep = setInterval(() => {
    const now = Date.now()
    for (const key of instance.sessions.sweep(now)) instance.cursors.endOf(key)
    instance.cursors.sweep(now)
    for (const connection of connections) connection.sweep(now)
  }, SWEEP_MS)
  sweep.unref()
  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    clearInterval(sweep)
    const ended = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const connection of connections) connection.close()
    const late = setTimeout(() => {
      for (const connection of connections) connection.destroy()
    }, CLOSE_MS)
    await ended
    clearTimeout(late)
    instance.sessions.endOf(undefined)
    await own?.close()
  }
  return {
    server,
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
