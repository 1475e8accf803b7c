import { readFileSync } from 'node:fs'
import type { PostgresOptions } from '@bulkhead/pocket-postgres'

export type Config = Omit<PostgresOptions, 'log'>

/** Something in the pod's manifest that has to be put right; the message is a whole sentence, without a value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * What the image's entrypoint reads: POSTGRES_USER (`postgres`), POSTGRES_PASSWORD, POSTGRES_DB (as the user), each of them
 * from a file when `_FILE` stands behind its name, and PGDATA. Arguments are `postgres -c name=value ...`, with or without
 * the program's name.
 *
 * @throws ConfigError
 */
export function readConfig(env: Env, argv: readonly string[]): Config {
  const user = fromFile(env, 'POSTGRES_USER') || 'postgres'
  const password = fromFile(env, 'POSTGRES_PASSWORD')
  if (!password) {
    throw new ConfigError(
      'there is no password: set POSTGRES_PASSWORD, or POSTGRES_PASSWORD_FILE, from a Secret. Access without one (POSTGRES_HOST_AUTH_METHOD=trust) is not to be had here.',
    )
  }
  if (!env.PGDATA) throw new ConfigError('PGDATA is not set: it is the folder that the data is in.')
  const database = fromFile(env, 'POSTGRES_DB') || user
  return { dataDir: env.PGDATA, user, password, database, settings: settingsOf(argv) }
}

function fromFile(env: Env, name: string): string | undefined {
  const file = env[`${name}_FILE`]
  if (!file) return env[name]
  if (env[name]) throw new ConfigError(`both ${name} and ${name}_FILE are set; set one of them.`)
  try {
    // As a shell reads it: without the line's end.
    return readFileSync(file, 'utf8').replace(/\n+$/, '')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? error.code : error
    throw new ConfigError(`${name}_FILE is ${JSON.stringify(file)}, and it cannot be read (${why}).`)
  }
}

function settingsOf(argv: readonly string[]): Record<string, string> {
  const settings: Record<string, string> = {}
  const rest = argv[0] === 'postgres' ? argv.slice(1) : [...argv]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const text = arg === '-c' ? rest.shift() : /^(?:-c|--)(?=\w)(.*)$/.exec(arg)?.[1]
    const [, name, value] = /^([\w.-]+)=(.*)$/s.exec(text ?? '') ?? []
    if (name === undefined || value === undefined) {
      throw new ConfigError(
        `the argument ${JSON.stringify(arg)} is not understood; settings are given as -c name=value.`,
      )
    }
    settings[name.replaceAll('-', '_')] = value
  }
  return settings
}
