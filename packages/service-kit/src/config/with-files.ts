import { readFileSync } from 'node:fs'
import { ConfigError } from './read-config.js'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Puts what files hold where the variables would be: `<name>_FILE` names the file of `<name>`, as Secrets are mounted. One newline at the
 * file's end is not part of it.
 * @throws ConfigError for one that cannot be read, and where both are set
 */
export function withFiles(env: Env, names: readonly string[]): Env {
  const filled: Record<string, string | undefined> = { ...env }
  const problems: string[] = []
  for (const name of names) {
    const file = env[`${name}_FILE`]
    if (!file) continue
    if (env[name]) {
      problems.push(`invalid env var ${name}_FILE=${JSON.stringify(file)} (${name} is set too; set one of them)`)
      continue
    }
    try {
      filled[name] = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? error.code : error
      problems.push(`invalid env var ${name}_FILE=${JSON.stringify(file)} (it cannot be read: ${why})`)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return filled
}
