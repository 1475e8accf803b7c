import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Resource, Secret } from '@bulkhead/resources'
import { ClusterError, messageOf, systemCode } from './errors.js'

/** Comma-separated keys of a Secret whose values are made where it is used, so that they are in no file of the repository. */
export const generateAnnotation = 'bulkhead.dev/generate'

/** Of randomness, written as characters that need no escape in a URL or a shell. */
const valueBytes = 24

/** What a Secret holds: what its manifest says, and the values that were made for it here. */
export interface SecretValues {
  of(secret: Resource): Readonly<Record<string, string>>
}

/**
 * Values for Secrets that ask for them, made once and kept in `.bulkhead/secrets`, readable by their owner alone. They are
 * in no object, so that nothing that shows objects shows them.
 */
export class GeneratedSecrets implements SecretValues {
  readonly #stateDir: string
  readonly #note: (text: string) => void
  readonly #known = new Map<string, Readonly<Record<string, string>>>()

  constructor(stateDir: string, note: (text: string) => void = () => undefined) {
    this.#stateDir = stateDir
    this.#note = note
  }

  /** @throws ClusterError `state-dir` when its values cannot be read, or kept. */
  of(secret: Resource): Readonly<Record<string, string>> {
    const { data = {}, stringData = {} } = secret.object as Secret
    const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()])
    const written: Record<string, string> = { ...Object.fromEntries(decoded), ...stringData }
    const missing = generatedKeys(secret).filter((key) => !Object.hasOwn(written, key))
    return missing.length === 0 ? written : { ...this.#generated(secret, missing), ...written }
  }

  #generated({ name, namespace = '' }: Resource, keys: readonly string[]): Readonly<Record<string, string>> {
    const id = `${namespace}/${name}`
    const kept = this.#known.get(id) ?? this.#read(namespace, name)
    const lacking = keys.filter((key) => !Object.hasOwn(kept, key))
    const made = lacking.map((key) => [key, randomBytes(valueBytes).toString('base64url')])
    const all: Readonly<Record<string, string>> = { ...kept, ...Object.fromEntries(made) }
    if (made.length > 0) {
      this.#write(namespace, name, all)
      this.#warnOfOldData(namespace, id)
    }
    this.#known.set(id, all)
    return Object.fromEntries(keys.map((key) => [key, all[key] ?? '']))
  }

  #read(namespace: string, name: string): Readonly<Record<string, string>> {
    const file = this.#file(namespace, name)
    let value: unknown
    try {
      value = JSON.parse(readFileSync(file, 'utf8'))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return {}
      throw unreadable(file, systemCode(error) || 'it is not JSON')
    }
    const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isPlain || !Object.values(value as object).every((one) => typeof one === 'string'))
      throw unreadable(file, 'it is not an object of strings')
    return value as Record<string, string>
  }

  #write(namespace: string, name: string, values: Readonly<Record<string, string>>): void {
    const file = this.#file(namespace, name)
    const draft = `${file}.${process.pid}`
    try {
      mkdirSync(join(this.#stateDir, 'secrets', namespace), { recursive: true, mode: 0o700 })
      writeFileSync(draft, `${JSON.stringify(values, null, 2)}\n`, { mode: 0o600 })
      renameSync(draft, file)
    } catch (error) {
      rmSync(draft, { force: true })
      throw new ClusterError(
        'state-dir',
        `the values of Secret ${namespace}/${name} cannot be kept in "${file}" (${systemCode(error) || messageOf(error)}). Make the folder writable, or name another with --state DIR.`,
      )
    }
  }

  /** A database that was made with the old value will not take the new one. */
  #warnOfOldData(namespace: string, id: string): void {
    const claims = namesIn(join(this.#stateDir, 'data', namespace))
    const full = claims.filter((claim) => namesIn(join(this.#stateDir, 'data', namespace, claim)).length > 0)
    if (full.length === 0) return
    this.#note(
      `values for Secret ${id} were made anew, and data of earlier runs is still there (${full.join(', ')}), which may know the old ones only: where a password is refused, \`npx bulkhead up --fresh\` empties the data and begins again`,
    )
  }

  #file(namespace: string, name: string): string {
    return join(this.#stateDir, 'secrets', namespace, `${name}.json`)
  }
}

function generatedKeys({ object }: Resource): readonly string[] {
  const keys = (object.metadata.annotations?.[generateAnnotation] ?? '').split(',').map((key) => key.trim())
  return keys.filter((key) => key !== '')
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function unreadable(file: string, why: string): ClusterError {
  return new ClusterError(
    'state-dir',
    `the values of a Secret in "${file}" cannot be read (${why}). Put the file right, or begin again with \`npx bulkhead up --fresh\`, which empties the data that they open too.`,
  )
}
