import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { Applied } from './target.js'

const change = z.strictObject({
  objects: z.string().optional(),
  file: z.string().optional(),
  without: z.array(z.string()).optional(),
})

/** The lab that is under way, and what was before it. */
export interface Entry {
  readonly lab: string
  /** When it was started, RFC 3339. */
  readonly started: string
  /** When the target was that it was started on. */
  readonly target: string
  /** What was in force before. */
  readonly before: { readonly off: readonly string[]; readonly applied: readonly Applied[] }
}

const entry = z.strictObject({
  lab: z.string(),
  started: z.string(),
  target: z.string(),
  before: z.strictObject({
    off: z.array(z.string()),
    applied: z.array(z.strictObject({ name: z.string(), change })),
  }),
})

/** `overlay/lab.json` in the state folder: written before a lab changes anything, gone when all is as it was. */
export class LabJournal {
  readonly #file: string

  constructor(stateDir: string) {
    this.#file = path.join(stateDir, 'overlay', 'lab.json')
  }

  /** Undefined when no lab is under way. @throws Error, a sentence, when the file is not what `write` writes */
  read(): Entry | undefined {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
    try {
      return entry.parse(JSON.parse(text)) as Entry
    } catch (error) {
      throw new Error(
        `${this.#file} is not what \`bulkhead lab\` writes; remove it, and see with \`npx bulkhead layer\` which walls are up.`,
        { cause: error },
      )
    }
  }

  write(found: Entry): void {
    mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 })
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(found, null, 2)}\n`, { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }

  clear(): void {
    rmSync(this.#file, { force: true })
  }
}
