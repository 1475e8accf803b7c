import { createPublicKey, type KeyObject } from 'node:crypto'
import { readPrivateKey, readPublicKey } from '@bulkhead/intents'
import {
  type Address,
  ConfigError,
  type ConfigShape,
  type ConfigValues,
  logSettings,
  type ReadConfig,
  readConfig,
  settings,
  shutdownSettings,
  withFiles,
} from '@bulkhead/service-kit'
import { DAY_MS } from './audit/log.js'
import { checkBlocks, type TrustedProxies } from './http/client-address.js'
import { SERVICE_ACCOUNT_FOLDER } from './kubernetes/access.js'
import { defaultSchedulers, type SchedulerIdentity } from './schedulers/identity.js'
import { type MongoConfig, readMongoOptions } from './store/client.js'
import { MAX_PASSWORD, MIN_PASSWORD, username } from './users/fields.js'

const { address, boolean, duration, integer, optional, port, secret, setting, splitList, text } = settings

/** How to reach the database; the same names serve the service and its migrations. */
const mongoSettings = {
  MANAGER_MONGODB_HOST: text('mongodb'),
  MANAGER_MONGODB_PORT: port('27017'),
  MANAGER_MONGODB_USER: setting(readUserName, 'manager'),
  MANAGER_MONGODB_PASSWORD: secret(setting(readSecret)),
  MANAGER_MONGODB_DATABASE: setting(readDatabaseName, 'manager'),
  /** As in the query of a connection string: `retryWrites=false&compressors=zlib`. */
  MANAGER_MONGODB_OPTIONS: setting(readMongoOptions, ''),
  /** Turns TLS on, and names who may sign the server's certificate. */
  MANAGER_MONGODB_CA_PEM: optional(readCertificates),
}

const serviceShape = {
  MANAGER_SERVER_HOST: address(':8080'),
  /** Addresses and blocks of them of the proxies in front whose X-Forwarded-For is believed. */
  MANAGER_SERVER_TRUSTED_PROXIES: setting(readBlocks, ''),
  /** How many of those stand one behind the other. */
  MANAGER_SERVER_TRUSTED_HOPS: integer('1', { min: 0, max: 16 }),
  ...mongoSettings,
  /** Signs the tokens; RSA, PKCS#1 or PKCS#8. */
  MANAGER_KEY_RSA_PRIVATE_KEY_PEM: secret(setting(readPrivateKey)),
  MANAGER_ACCOUNT_ADMIN_EMAIL: setting(readAdminName, 'admin@example.com'),
  MANAGER_ACCOUNT_ADMIN_PASSWORD: secret(setting(readAdminPassword)),
  MANAGER_K8S_IN_CLUSTER: boolean('true'),
  /** Where the pod's token and its cluster's authority are mounted. */
  MANAGER_K8S_SERVICE_ACCOUNT_PATH: text(SERVICE_ACCOUNT_FOLDER),
  /** Instead of the pod's ServiceAccount, when IN_CLUSTER is false. */
  MANAGER_K8S_KUBE_CONFIG_PATH: optional((value) => value),
  /** The schedulers that are told of intents: pods of this namespace and ServiceAccount, and no others. */
  MANAGER_K8S_SCHEDULER_NAMESPACE: text(defaultSchedulers.namespace),
  MANAGER_K8S_SCHEDULER_SERVICE_ACCOUNT: text(defaultSchedulers.serviceAccount),
  /** The public half of the schedulers' key: without it none of their reports is taken. Not shown: by mistake it may be the other half. */
  MANAGER_SCHEDULER_PUBLIC_KEY_PEM: secret(optional(readPublicKey)),
  /** How often strategies are held against the cluster's pods, and schedulers against the database. */
  MANAGER_RECONCILE_INTERVAL: duration('30s'),
  /** How many days an entry of the audit log is kept. */
  MANAGER_AUDIT_RETENTION: integer('90', { min: 1, max: 3_650 }),
  ...logSettings,
  ...shutdownSettings,
}

const migrateShape = {
  ...mongoSettings,
  /** Who may make the user above and the collections: used by the migrations alone. */
  MANAGER_MONGODB_ROOT_USER: text('root'),
  MANAGER_MONGODB_ROOT_PASSWORD: secret(setting(readSecret)),
  /** As `mongod --replSet` has it. */
  MANAGER_MONGODB_REPLICA_SET: text('rs0'),
  /** How long to wait for the database, and for another migration that is under way. */
  MANAGER_MIGRATE_TIMEOUT: duration('2m'),
  ...logSettings,
}

/** Variables that may come from a file: `<name>_FILE` names it. */
const fromFiles = [
  'MANAGER_MONGODB_PASSWORD',
  'MANAGER_MONGODB_CA_PEM',
  'MANAGER_MONGODB_ROOT_PASSWORD',
  'MANAGER_KEY_RSA_PRIVATE_KEY_PEM',
  'MANAGER_ACCOUNT_ADMIN_PASSWORD',
  'MANAGER_SCHEDULER_PUBLIC_KEY_PEM',
] as const

type Env = Readonly<Record<string, string | undefined>>

export interface ManagerConfig {
  readonly listen: Address
  readonly proxies: TrustedProxies
  readonly mongo: MongoConfig
  readonly key: KeyObject
  readonly admin: { readonly email: string; readonly password: string }
  readonly audit: { readonly retentionMs: number }
  readonly kubernetes: {
    readonly inCluster: boolean
    readonly serviceAccountPath: string
    readonly kubeConfigPath: string | undefined
  }
  readonly schedulers: SchedulerIdentity
  /** Of whatever says that it is a scheduler. */
  readonly schedulerKey: KeyObject | undefined
  readonly reconcile: { readonly intervalMs: number }
}

type Read<C, S extends ConfigShape> = ReadConfig<S> & { readonly config: C }

/** @throws ConfigError with every bad value */
export function readManagerConfig(env: Env = process.env): Read<ManagerConfig, typeof serviceShape> {
  const read = readConfig(serviceShape, withFiles(env, fromFiles))
  const { values } = read
  if (!values.MANAGER_K8S_IN_CLUSTER && values.MANAGER_K8S_KUBE_CONFIG_PATH === undefined)
    throw new ConfigError([
      'invalid env var MANAGER_K8S_KUBE_CONFIG_PATH (it is not set, and MANAGER_K8S_IN_CLUSTER is false: there is no way to the Kubernetes API)',
    ])
  if (values.MANAGER_RECONCILE_INTERVAL < LEAST_INTERVAL_MS)
    throw new ConfigError([
      `invalid env var MANAGER_RECONCILE_INTERVAL=${JSON.stringify(env.MANAGER_RECONCILE_INTERVAL)} (it must be at least ${LEAST_INTERVAL_MS / 1_000}s)`,
    ])
  if (values.MANAGER_SCHEDULER_PUBLIC_KEY_PEM?.equals(createPublicKey(values.MANAGER_KEY_RSA_PRIVATE_KEY_PEM)))
    throw new ConfigError([
      "invalid env var MANAGER_SCHEDULER_PUBLIC_KEY_PEM (it is the public half of the manager's own key: every scheduler could sign users' tokens with it; give the schedulers a key of their own)",
    ])
  return {
    ...read,
    config: {
      listen: values.MANAGER_SERVER_HOST,
      proxies: { from: values.MANAGER_SERVER_TRUSTED_PROXIES, hops: values.MANAGER_SERVER_TRUSTED_HOPS },
      mongo: mongoOf(values),
      key: values.MANAGER_KEY_RSA_PRIVATE_KEY_PEM,
      admin: { email: values.MANAGER_ACCOUNT_ADMIN_EMAIL, password: values.MANAGER_ACCOUNT_ADMIN_PASSWORD },
      audit: { retentionMs: values.MANAGER_AUDIT_RETENTION * DAY_MS },
      kubernetes: {
        inCluster: values.MANAGER_K8S_IN_CLUSTER,
        serviceAccountPath: values.MANAGER_K8S_SERVICE_ACCOUNT_PATH,
        kubeConfigPath: values.MANAGER_K8S_KUBE_CONFIG_PATH,
      },
      schedulers: {
        namespace: values.MANAGER_K8S_SCHEDULER_NAMESPACE,
        serviceAccount: values.MANAGER_K8S_SCHEDULER_SERVICE_ACCOUNT,
      },
      schedulerKey: values.MANAGER_SCHEDULER_PUBLIC_KEY_PEM,
      reconcile: { intervalMs: values.MANAGER_RECONCILE_INTERVAL },
    },
  }
}

export interface MigrateConfig {
  /** As the service logs in: this user is made. */
  readonly mongo: MongoConfig
  readonly root: { readonly user: string; readonly password: string }
  readonly replicaSet: string
  readonly timeoutMs: number
}

/** @throws ConfigError with every bad value */
export function readMigrateConfig(env: Env = process.env): Read<MigrateConfig, typeof migrateShape> {
  const read = readConfig(migrateShape, withFiles(env, fromFiles))
  const { values } = read
  return {
    ...read,
    config: {
      mongo: mongoOf(values),
      root: { user: values.MANAGER_MONGODB_ROOT_USER, password: values.MANAGER_MONGODB_ROOT_PASSWORD },
      replicaSet: values.MANAGER_MONGODB_REPLICA_SET,
      timeoutMs: values.MANAGER_MIGRATE_TIMEOUT,
    },
  }
}

function mongoOf(values: ConfigValues<typeof mongoSettings>): MongoConfig {
  const ca = values.MANAGER_MONGODB_CA_PEM
  return {
    host: values.MANAGER_MONGODB_HOST,
    port: values.MANAGER_MONGODB_PORT,
    user: values.MANAGER_MONGODB_USER,
    password: values.MANAGER_MONGODB_PASSWORD,
    database: values.MANAGER_MONGODB_DATABASE,
    options: values.MANAGER_MONGODB_OPTIONS,
    ...(ca === undefined ? {} : { ca }),
  }
}

/** Passwords that stand in examples and charts: whoever reads those could log in. */
const wellKnown: ReadonlySet<string> = new Set(['your-password-here', 'changeme', 'password', 'admin', 'secret'])

function readSecret(value: string): string {
  if (wellKnown.has(value.toLowerCase())) throw new RangeError('it is a password that examples have; make one up')
  return value
}

/** Like every user's has to be, or nobody could log in with it. */
function readAdminPassword(value: string): string {
  if (value.length < MIN_PASSWORD || value.length > MAX_PASSWORD)
    throw new RangeError(`it must have ${MIN_PASSWORD} to ${MAX_PASSWORD} characters`)
  return readSecret(value)
}

function readAdminName(value: string): string {
  const read = username.safeParse(value)
  if (!read.success) throw new RangeError(`it is no name of a user: ${read.error.issues[0]?.message}`)
  return value
}

function readBlocks(value: string): readonly string[] {
  const blocks = splitList(value)
  checkBlocks(blocks)
  return blocks
}

function readUserName(value: string): string {
  if (value === 'root') throw new RangeError("it must be a user of the manager's own, who may do nothing elsewhere")
  return value
}

function readDatabaseName(value: string): string {
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(value))
    throw new RangeError('it must have 1 to 63 characters of a-z, A-Z, 0-9, _ and -')
  if (['admin', 'local', 'config'].includes(value.toLowerCase())) throw new RangeError("it is one of MongoDB's own")
  return value
}

/** More often, and a cluster that is slow to answer would be asked without a pause. */
const LEAST_INTERVAL_MS = 1_000

function readCertificates(pem: string): string {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new RangeError('it must be certificates in PEM')
  return pem
}
