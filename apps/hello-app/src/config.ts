import {
  type Address,
  ConfigError,
  type ConfigValues,
  logSettings,
  type ReadConfig,
  readConfig,
  settings,
  shutdownSettings,
} from '@bulkhead/service-kit'
import { type DatabaseConfig, readCertificates, readDatabaseUrl, readSslMode } from './database/config.js'

const { address, duration, optional, port, secret, setting, text } = settings

export const shape = {
  LISTEN_ADDR: address('0.0.0.0:8000'),
  /** Instead of LISTEN_ADDR's port, for platforms that set it. */
  PORT: optional(readPort),

  DB_HOST: text('postgres'),
  DB_PORT: port('5432'),
  DB_USER: text('hello'),
  DB_PASSWORD: secret(text('hello')),
  DB_NAME: text('hellodb'),
  DB_SSLMODE: setting(readSslMode, 'disable'),
  DB_SSLROOTCERT: optional(readCertificates),
  /** Wins over all of DB_. */
  DATABASE_URL: secret(optional(readDatabaseUrl)),

  CHECK_CACHE: setting(readCache, '10s'),

  ...logSettings,
  ...shutdownSettings,
}

export type HelloConfig = ConfigValues<typeof shape> & {
  readonly listen: Address
  readonly database: DatabaseConfig
}

export interface ReadHelloConfig {
  readonly config: HelloConfig
  readonly effective: ReadConfig<typeof shape>['effective']
}

/** @throws ConfigError with every bad value */
export function readHelloConfig(env: Readonly<Record<string, string | undefined>> = process.env): ReadHelloConfig {
  const { values, effective } = readConfig(shape, env)
  const { LISTEN_ADDR, PORT, DB_SSLROOTCERT: ca } = values
  return {
    config: {
      ...values,
      listen: { host: LISTEN_ADDR.host, port: PORT ?? LISTEN_ADDR.port },
      database: values.DATABASE_URL ?? {
        host: values.DB_HOST,
        port: values.DB_PORT,
        user: values.DB_USER,
        password: values.DB_PASSWORD,
        database: values.DB_NAME,
        sslmode: values.DB_SSLMODE,
        ...(ca === undefined ? {} : { ca }),
      },
    },
    effective,
  }
}

export { ConfigError }

function readPort(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65535) throw new RangeError('it must be a port, from 0 to 65535')
  return Number(value)
}

/** Shorter, and page views drive outgoing calls after all; longer, and the page tells of yesterday. */
function readCache(value: string): number {
  const parsed = duration().safeParse(value)
  if (!parsed.success) throw new RangeError(parsed.error.issues.map((issue) => issue.message).join('; '))
  if (parsed.data < 1_000 || parsed.data > 300_000) throw new RangeError('it must be from 1s to 5m')
  return parsed.data
}
