import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { digestOf, type Packed } from './archive.js'
import type { BundleFile } from './manifest.js'

/**
 * The files of a bundle that is being made, in a folder beside it. A file has its name only once it is whole, so that whoever was
 * interrupted goes on with those that are there; another clone's, or another version's, are not taken.
 */
export class Parts {
  readonly folder: string
  readonly #signal: AbortSignal | undefined

  constructor(folder: string, fingerprint: string, signal: AbortSignal | undefined) {
    this.folder = folder
    this.#signal = signal
    const mark = join(folder, 'made-for')
    if (!existsSync(mark) || readFileSync(mark, 'utf8') !== fingerprint) this.remove()
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(mark, fingerprint, { mode: 0o600 })
    rmSync(this.#scratch, { recursive: true, force: true })
  }

  get #scratch(): string {
    return join(this.folder, 'unfinished')
  }

  get #files(): string {
    return join(this.folder, 'files')
  }

  at(path: string): string {
    return join(this.#files, path)
  }

  /** @returns whether it was there already */
  async make(path: string, how: (target: string) => Promise<void>, again = false): Promise<boolean> {
    if (!again && existsSync(this.at(path))) return true
    const scratch = this.scratch()
    const target = join(scratch, 'file')
    try {
      await how(target)
      if (!statSync(target).isFile()) throw new Error(`what was made as ${path} is no file`)
      mkdirSync(dirname(this.at(path)), { recursive: true })
      renameSync(target, this.at(path))
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
    return false
  }

  /** A folder that is there already is whole. */
  async makeFolder(path: string, how: (target: string) => Promise<void>): Promise<boolean> {
    if (existsSync(this.at(path))) return true
    const scratch = this.scratch()
    const target = join(scratch, 'folder')
    try {
      mkdirSync(target)
      await how(target)
      mkdirSync(this.#files, { recursive: true })
      renameSync(target, this.at(path))
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
    return false
  }

  /** An empty folder for what is on its way. */
  scratch(): string {
    rmSync(this.#scratch, { recursive: true, force: true })
    mkdirSync(this.#scratch, { recursive: true, mode: 0o700 })
    return this.#scratch
  }

  /** Every file, in the order in which it is packed: small ones first, so that a reader who wants those need not go through images. */
  async digests(): Promise<readonly BundleFile[]> {
    const files: BundleFile[] = []
    const paths = readdirSync(this.#files, { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name).slice(this.#files.length + 1))
    const isImage = (path: string): number => (path.startsWith('images/') ? 1 : 0)
    for (const path of paths.sort((a, b) => isImage(a) - isImage(b) || (a < b ? -1 : 1)))
      files.push({ path, ...(await digestOf(this.at(path), this.#signal)) })
    return files
  }

  packed(files: readonly BundleFile[]): readonly Packed[] {
    return files.map(({ path, size }) => ({ path, size, from: { file: this.at(path) } }))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
