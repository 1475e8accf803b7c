import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'

export interface Config {
  readonly dataDir: string
  /** As the image, everywhere, unless --bind_ip says otherwise. */
  readonly host: string
  readonly port: number
  readonly root: { readonly user: string; readonly password: string }
  /** Absent: a single server, without transactions. */
  readonly replicaSet?: { readonly name: string }
}

/** Something in the pod's manifest that has to be put right; the message is a whole sentence, without a value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Env = Readonly<Record<string, string | undefined>>

/** Where the image has its data, and its volume. */
const DATA = '/data/db'
const PORT = 27017

/**
 * What the image's entrypoint reads: MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD, each from a file when
 * `_FILE` stands behind its name, and the arguments of mongod. MONGO_DBPATH is the folder that stands for /data/db on this
 * machine, where nothing can be mounted.
 *
 * @throws ConfigError
 */
export function readConfig(env: Env, argv: readonly string[]): Config {
  const user = fromFile(env, 'MONGO_INITDB_ROOT_USERNAME')
  const password = fromFile(env, 'MONGO_INITDB_ROOT_PASSWORD')
  if (!user || !password)
    throw new ConfigError(
      `there is no root user: set ${user ? '' : 'MONGO_INITDB_ROOT_USERNAME'}${user || password ? '' : ' and '}${password ? '' : 'MONGO_INITDB_ROOT_PASSWORD'}, or the same with _FILE, from a Secret. A database that lets everybody in is not to be had here.`,
    )
  const { dbpath = DATA, port, replSet, keyFile, bind_ip: host = '0.0.0.0' } = optionsOf(argv)
  const dataDir = dbpath.replace(/\/+$/, '') === DATA ? (env.MONGO_DBPATH ?? DATA) : dbpath
  if (keyFile !== undefined) checkKeyFile(keyFile)
  if (replSet !== undefined && keyFile === undefined)
    throw new ConfigError(
      'a replica set whose members ask for passwords needs --keyFile: mongod does not start without one, and neither does this.',
    )
  return {
    dataDir,
    host: hostOf(host),
    port: port === undefined ? PORT : readPort(port),
    root: { user, password },
    ...(replSet === undefined ? {} : { replicaSet: { name: replSet } }),
  }
}

function fromFile(env: Env, name: string): string | undefined {
  const file = env[`${name}_FILE`]
  if (!file) return env[name]
  if (env[name]) throw new ConfigError(`both ${name} and ${name}_FILE are set; set one of them.`)
  try {
    // As a shell reads it: without the line's end.
    return readFileSync(file, 'utf8').replace(/\n+$/, '')
  } catch (error) {
    throw new ConfigError(`${name}_FILE is ${JSON.stringify(file)}, and it cannot be read (${reason(error)}).`)
  }
}

/** What mongod takes and this reads. */
const valued = ['dbpath', 'port', 'replSet', 'keyFile', 'bind_ip'] as const
/** What mongod takes and what makes no difference here: it asks for passwords, listens everywhere and says little anyway. */
const flags: ReadonlySet<string> = new Set(['bind_ip_all', 'auth', 'quiet', 'noscripting', 'ipv6'])

type Options = Partial<Record<(typeof valued)[number], string>>

function optionsOf(argv: readonly string[]): Options {
  const options: Options = {}
  const rest = argv[0] === 'mongod' ? argv.slice(1) : [...argv]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = '', given] = /^--([\w-]+)(?:=(.*))?$/s.exec(arg) ?? []
    if (flags.has(name) && given === undefined) continue
    const known = valued.find((candidate) => candidate === name)
    if (known === undefined)
      throw new ConfigError(
        `the argument ${JSON.stringify(arg)} is not understood; of mongod's this knows ${[...valued, ...flags].map((each) => `--${each}`).join(', ')}.`,
      )
    const value = given ?? rest.shift()
    if (value === undefined || value === '') throw new ConfigError(`the argument --${name} has no value.`)
    options[known] = value
  }
  return options
}

/** Of several addresses, each would be listened on; here it is all of them. */
const hostOf = (addresses: string): string => (isIP(addresses) === 0 ? '0.0.0.0' : addresses)

function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new ConfigError(`--port is ${JSON.stringify(text)}; it must be a port, from 0 to 65535.`)
  return Number(text)
}

/** What mongod wants of it (MongoDB, "Keyfiles"): 6 to 1024 characters of Base64. */
function checkKeyFile(file: string): void {
  let key: string
  try {
    key = readFileSync(file, 'utf8').replace(/\s/g, '')
  } catch (error) {
    // Here a volume is not where it is mounted, and the one member of this replica set has nobody to show its key to.
    if (reason(error) === 'ENOENT') return
    throw new ConfigError(`--keyFile is ${JSON.stringify(file)}, and it cannot be read (${reason(error)}).`)
  }
  if (!/^[A-Za-z0-9+/=]{6,1024}$/.test(key))
    throw new ConfigError(`--keyFile is ${JSON.stringify(file)}, and does not hold 6 to 1024 characters of Base64.`)
}

const reason = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error)
