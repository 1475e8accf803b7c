import * as z from 'zod/mini'
import { defaultOf, isSecret } from './settings.js'

/** Environment variable -> its schema. Any zod schema whose input is text will do; settings.ts has the usual ones. */
export type ConfigShape = Readonly<Record<string, z.core.$ZodType>>

export type ConfigValues<S extends ConfigShape> = { readonly [K in keyof S]: z.core.output<S[K]> }

export interface ReadConfig<S extends ConfigShape> {
  readonly values: ConfigValues<S>
  /** What to log once at start: every variable as it is in effect, secrets and passwords in URLs redacted. */
  readonly effective: Readonly<Record<string, string>>
}

export const REDACTED = '[redacted]'

/** sysexits.h EX_CONFIG: the process cannot run as configured, and a restart will not help. */
export const EXIT_BAD_CONFIG = 78

/** Everything that is wrong with the environment, one sentence per variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * Reads a service's configuration from the environment; the one place that does.
 * An empty variable counts as absent, as in the original services (`value: ""` in a manifest means the default).
 * @throws ConfigError naming every bad value at once, each as `invalid env var PORT="x" (reason)`
 */
export function readConfig<S extends ConfigShape>(
  shape: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadConfig<S> {
  const problems: string[] = []
  const values: Record<string, unknown> = {}
  const effective: Record<string, string> = {}
  for (const [name, schema] of Object.entries(shape)) {
    const raw = env[name] === '' ? undefined : env[name]
    const result = z.safeParse(schema, raw)
    if (result.success) {
      values[name] = result.data
      effective[name] = isSecret(schema) ? REDACTED : withoutPassword(raw ?? defaultOf(schema) ?? written(result.data))
      continue
    }
    const reason = result.error.issues.map((issue) => issue.message).join('; ')
    const shown =
      raw === undefined ? '' : isSecret(schema) ? `=${REDACTED}` : `=${JSON.stringify(withoutPassword(raw))}`
    problems.push(`invalid env var ${name}${shown} (${reason})`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return { values: Object.freeze(values) as ConfigValues<S>, effective }
}

/** `scheme://user:password@host` without the password. */
export function withoutPassword(value: string): string {
  return value.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*):[^\s/?#]*@/gi, `$1:${REDACTED}@`)
}

function written(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof URL) return value.href
  return value === undefined ? '' : JSON.stringify(value)
}
