import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Resource } from '@bulkhead/resources'
import {
  type Generator,
  generatorsOf,
  keysIn,
  publicHalves,
  SecretError,
  type SecretTexts,
  tellOnceAnnotation,
  writtenTexts,
} from '@bulkhead/resources/secrets'
import { ClusterError, messageOf, systemCode } from './errors.js'

/** What a Secret holds: what its manifest says, and the values that were made for it here. */
export interface SecretValues {
  /** `find`: the objects beside it, by `Kind/namespace/name`; what another Secret holds may count for it. */
  of(secret: Resource, find?: (id: string) => Resource | undefined): Readonly<Record<string, string>>
}

/** What is told once of a Secret that was just made. */
export interface ToldOnce {
  /** `namespace/name` */
  readonly secret: string
  /** In the order of the annotation. */
  readonly values: readonly { readonly key: string; readonly value: string }[]
  /** Where it is kept, for its owner alone. */
  readonly file: string
}

/**
 * Values for Secrets that ask for them, made once and kept in `.bulkhead/secrets`, readable by their owner alone. They are
 * in no object, so that nothing that shows objects shows them.
 */
export class GeneratedSecrets implements SecretValues {
  readonly #stateDir: string
  readonly #note: (text: string) => void
  readonly #known = new Map<string, Readonly<Record<string, string>>>()
  #untold: ToldOnce[] = []

  constructor(stateDir: string, note: (text: string) => void = () => undefined) {
    this.#stateDir = stateDir
    this.#note = note
  }

  /** @throws ClusterError `state-dir` when its values cannot be read, or kept; `bad-pod` when a public half has no private one. */
  of(secret: Resource, find?: (id: string) => Resource | undefined): Readonly<Record<string, string>> {
    return { ...this.#halves(secret, find), ...this.#own(secret) }
  }

  #halves(secret: Resource, find?: (id: string) => Resource | undefined): SecretTexts {
    try {
      return publicHalves(secret, (id) => {
        const found = find?.(id)
        return found && this.#own(found)
      })
    } catch (error) {
      throw error instanceof SecretError ? new ClusterError('bad-pod', error.message) : error
    }
  }

  #own(secret: Resource): SecretTexts {
    const written = writtenTexts(secret)
    const wanted = generatorsOf(secret)
    return wanted.length === 0 ? written : { ...this.#generated(secret, wanted, written), ...written }
  }

  /** What is to be told once and was not yet: whoever asks has it, and nobody after. */
  takeUntold(): readonly ToldOnce[] {
    const untold = this.#untold
    this.#untold = []
    return untold
  }

  #generated(secret: Resource, wanted: readonly Generator[], written: SecretTexts): SecretTexts {
    const { name, namespace = '' } = secret
    const id = `${namespace}/${name}`
    const kept = this.#known.get(id) ?? this.#read(namespace, name)
    const made = wanted.filter(({ key }) => !Object.hasOwn(kept, key)).map(({ key, make }) => [key, make()] as const)
    const all: Readonly<Record<string, string>> = { ...kept, ...Object.fromEntries(made) }
    if (made.length > 0) {
      this.#write(namespace, name, all)
      this.#warnOfOldData(namespace, id)
      const told = keysIn(secret, tellOnceAnnotation)
      if (made.some(([key]) => told.includes(key))) {
        const values = told.map((key) => ({ key, value: written[key] ?? all[key] ?? '' }))
        this.#untold.push({ secret: id, values, file: this.#file(namespace, name) })
      }
    }
    this.#known.set(id, all)
    return Object.fromEntries(wanted.map(({ key }) => [key, all[key] ?? '']))
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
    return secretFile(this.#stateDir, namespace, name)
  }
}

/** Where values are kept that were made for a Secret. */
export const secretFile = (stateDir: string, namespace: string, name: string): string =>
  join(stateDir, 'secrets', namespace, `${name}.json`)

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
