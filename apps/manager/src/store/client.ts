import { MongoClient, type MongoClientOptions, MongoError } from 'mongodb'

/** How to reach the database, and as whom. */
export interface MongoConfig {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** The query of a connection string, without its question mark. */
  readonly options: string
  /** TLS is used, and the server's certificate is one of these authorities'. */
  readonly ca?: string
}

/** How long an operation looks for a server that is there, and for a free connection to it. */
export const SELECTION_TIMEOUT_MS = 2_000
/** How long a server that is there may take for one answer. */
export const ANSWER_TIMEOUT_MS = 3_000
/**
 * What one operation may take with all that it waits for: an answer that does not come, and then a server that is there. A
 * request that finds the database gone is answered before this is over.
 */
export const OPERATION_TIMEOUT_MS = ANSWER_TIMEOUT_MS + SELECTION_TIMEOUT_MS
/** How often the driver looks whether the server is there. */
const HEARTBEAT_EVERY_MS = 2_000
/** What a heartbeat takes at the most: to connect, and to be answered. */
export const HEARTBEAT_TIMEOUT_MS = 2 * SELECTION_TIMEOUT_MS + 500
/** Connections are the server's memory; more than this wait for one another here. */
const MAX_POOL = 32

/**
 * A client of the database that has not connected yet: it does at its first operation, and again after every loss. The
 * password is in no connection string, hence in no message about one.
 */
export function createClient(
  { host, port, user, password, database, options, ca }: MongoConfig,
  more: MongoClientOptions = {},
): MongoClient {
  return new MongoClient(`mongodb://${uriHost(host)}:${port}/?${options}`, {
    appName: 'bulkhead-manager',
    // The one member calls itself by a name that only it can reach (127.0.0.1): it is not to be looked for by it.
    directConnection: true,
    serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
    connectTimeoutMS: SELECTION_TIMEOUT_MS,
    waitQueueTimeoutMS: SELECTION_TIMEOUT_MS,
    socketTimeoutMS: ANSWER_TIMEOUT_MS,
    heartbeatFrequencyMS: HEARTBEAT_EVERY_MS,
    maxPoolSize: MAX_POOL,
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    auth: { username: user, password },
    // Where the user is: in the manager's own database, so that it is nobody elsewhere.
    authSource: database,
    authMechanism: 'SCRAM-SHA-256',
    ...(ca === undefined ? {} : { tls: true, ca }),
    ...more,
  })
}

/** What only the service may set: where the client connects, as whom, and how long it waits. */
const ownOptions: ReadonlySet<string> = new Set(
  [
    'directConnection',
    'replicaSet',
    'authSource',
    'authMechanism',
    'timeoutMS',
    'serverSelectionTimeoutMS',
    'connectTimeoutMS',
    'socketTimeoutMS',
    'waitQueueTimeoutMS',
    'tlsInsecure',
    'tlsAllowInvalidCertificates',
    'tlsAllowInvalidHostnames',
    'loadBalanced',
  ].map((name) => name.toLowerCase()),
)

/**
 * Reads MANAGER_MONGODB_OPTIONS: what the driver knows, except what the service decides itself.
 *
 * @throws RangeError without quoting it
 */
export function readMongoOptions(value: string): string {
  if (/[^\w.~%&=:,+-]/.test(value)) throw new RangeError('it must be as the query of a URL, name=value joined by &')
  for (const name of new URLSearchParams(value).keys())
    if (ownOptions.has(name.toLowerCase()))
      throw new RangeError(`${JSON.stringify(name)} is not to be set from outside`)
  try {
    void new MongoClient(`mongodb://localhost/?${value}`)
  } catch (error) {
    throw new RangeError(error instanceof MongoError ? `the driver says: ${error.message}` : 'the driver refuses it')
  }
  return value
}

const uriHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)
