import type { Dirent } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Diagnostic, Position } from '../types.js'
import { KUSTOMIZATION_NAMES, readKustomization } from './kustomization.js'
import { readText, statOf, Unreadable, unreadable } from './read-text.js'

/** A file of manifests that is to be read. */
export interface Source {
  readonly path: string
  /** As positions name it. */
  readonly file: string
  /** From a kustomization; the outermost one wins. */
  readonly namespace?: string
  /** Where a kustomization names it; absent for a file that was found, or named by the user. */
  readonly namedAt?: Position
}

interface Context {
  /** Kustomizations that are being followed, outermost first, by their real folders: one of them again is a cycle. */
  readonly open: readonly string[]
  readonly namespace?: string
  /** Where the path is named. */
  readonly at?: Position
}

/** Which files make up a set of manifests: kustomizations followed, other folders searched. */
export class Collector {
  readonly sources: Source[] = []
  readonly diagnostics: Diagnostic[] = []
  #relativeTo = ''
  /** Real path and namespace: a file that is reached twice gives the same objects twice, and is read once. */
  readonly #seen = new Set<string>()
  /** Real folders searched under the path at hand: links can lead back. */
  readonly #entered = new Set<string>()
  /** Files and kustomizations come by, the same one again included. */
  #reached = 0

  /** A path that the user named, and the folder that the names of its files are relative to. */
  async addPath(path: string, relativeTo: string): Promise<void> {
    this.#relativeTo = relativeTo
    const absolute = resolve(path)
    const before = this.#reached + this.diagnostics.length
    this.#entered.clear()
    await this.#guard(absolute, {}, async () => {
      const info = await statOf(absolute)
      if (info.isDirectory()) {
        await this.#enter(absolute)
        await this.#folder(absolute, { open: [] })
        if (this.#reached + this.diagnostics.length === before)
          throw new Unreadable(
            'path.no-manifests',
            'the folder holds no *.yaml or *.yml file, and no kustomization.yaml',
          )
      } else if (KUSTOMIZATION_NAMES.includes(basename(absolute))) await this.#folder(dirname(absolute), { open: [] })
      else await this.#file(absolute, { open: [] })
    })
  }

  async #folder(folder: string, context: Context): Promise<void> {
    const entries = await this.#list(folder)
    const found = entries.filter((name) => KUSTOMIZATION_NAMES.includes(name))
    const [kustomization, second] = found
    if (kustomization !== undefined) {
      if (second !== undefined)
        this.#error(
          'kustomization.two',
          `the folder has both ${kustomization} and ${second}; kustomize takes one`,
          this.#start(join(folder, second)),
        )
      await this.#kustomization(folder, kustomization, context)
      return
    }
    for (const name of entries) {
      // Dot folders hold tools' files; node_modules, other people's.
      if (name.startsWith('.') || name === 'node_modules') continue
      const path = join(folder, name)
      await this.#guard(path, {}, async () => {
        const info = await statOf(path)
        if (info.isDirectory()) {
          if (await this.#enter(path)) await this.#folder(path, context)
        } else if (/\.ya?ml$/.test(name)) await this.#file(path, context)
      })
    }
  }

  async #kustomization(folder: string, name: string, context: Context): Promise<void> {
    this.#reached += 1
    const real = await realpath(folder)
    if (context.open.includes(real)) {
      const way = [...context.open.slice(context.open.indexOf(real)), real].map((one) => this.#name(one)).join(' -> ')
      this.#error(
        'kustomization.cycle',
        `the kustomizations name each other in a circle: ${way}`,
        context.at ?? this.#start(folder),
      )
      return
    }
    const file = join(folder, name)
    const read = readKustomization(await readText(file), this.#name(file), (diagnostic) =>
      this.diagnostics.push(diagnostic),
    )
    if (read === undefined) return
    const namespace = context.namespace ?? read.namespace
    const inside = { open: [...context.open, real], ...(namespace === undefined ? {} : { namespace }) }
    const named = new Set<string>()
    for (const { path, at } of read.resources) {
      const target = resolve(folder, path)
      if (/^[a-z+:]+:\/\/|^git@|^github\.com\//.test(path)) {
        this.#error(
          'kustomization.remote',
          `${JSON.stringify(path)} is not on this machine; nothing is fetched, so copy it here`,
          at,
        )
      } else if (path === '' || isAbsolute(path)) {
        this.#error(
          'kustomization.path',
          `${JSON.stringify(path)} is not a path relative to the kustomization's folder`,
          at,
        )
      } else if (named.has(target)) {
        this.#error('kustomization.duplicate', `${JSON.stringify(path)} is named twice; remove one`, at)
      } else {
        await this.#guard(path, { at }, () => this.#resource(folder, target, { ...inside, at }))
      }
      named.add(target)
    }
    await this.#warnOfUnlisted(folder, named)
  }

  async #resource(folder: string, target: string, context: Context): Promise<void> {
    const info = await statOf(target)
    if (info.isDirectory()) {
      const entries = await this.#list(target)
      if (!entries.some((name) => KUSTOMIZATION_NAMES.includes(name))) {
        throw new Unreadable(
          'kustomization.folder',
          'this folder has no kustomization.yaml; kustomize takes such a folder only when it has one',
        )
      }
      await this.#folder(target, context)
      return
    }
    const inside = relative(await realpath(folder), await realpath(target))
    if (inside === '..' || inside.startsWith(`..${sep}`)) {
      throw new Unreadable(
        'kustomization.outside',
        "this file lies outside the kustomization's folder, which kustomize refuses; name the folder of the other kustomization",
      )
    }
    if (KUSTOMIZATION_NAMES.includes(basename(target))) {
      throw new Unreadable('kustomization.path', 'this is a kustomization; name its folder instead')
    }
    await this.#file(target, context)
  }

  async #file(path: string, context: Context): Promise<void> {
    const key = `${await realpath(path)}\0${context.namespace ?? ''}`
    this.#reached += 1
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.sources.push({
      path,
      file: this.#name(path),
      ...(context.namespace === undefined ? {} : { namespace: context.namespace }),
      ...(context.at === undefined ? {} : { namedAt: context.at }),
    })
  }

  /** Whether a folder is entered for the first time. */
  async #enter(folder: string): Promise<boolean> {
    const real = await realpath(folder)
    if (this.#entered.has(real)) return false
    this.#entered.add(real)
    return true
  }

  /**
   * A manifest that lies in the kustomization's folder and is not named is one that is not applied; likewise in folders
   * below it that have no kustomization of their own.
   */
  async #warnOfUnlisted(folder: string, named: ReadonlySet<string>): Promise<void> {
    for (const entry of await this.#entries(folder)) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
        const inside = await this.#list(path)
        if (!inside.some((name) => KUSTOMIZATION_NAMES.includes(name))) await this.#warnOfUnlisted(path, named)
        continue
      }
      // good.yaml and bad.yaml are samples beside a policy, by the custom of Kyverno's own policies.
      const isSample = /^(good|bad)\./.test(entry.name)
      if (!/\.ya?ml$/.test(entry.name) || KUSTOMIZATION_NAMES.includes(entry.name) || isSample || named.has(path))
        continue
      this.diagnostics.push({
        severity: 'warning',
        code: 'kustomization.unlisted',
        message: 'no kustomization names this file, so it is not applied; add it to `resources`, or move it away',
        at: this.#start(path),
      })
    }
  }

  /** Without following links, which may lead back. */
  async #entries(folder: string): Promise<Dirent[]> {
    try {
      return (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      throw unreadable(error)
    }
  }

  async #list(folder: string): Promise<string[]> {
    try {
      return (await readdir(folder)).sort()
    } catch (error) {
      throw unreadable(error)
    }
  }

  /** Tells what could not be read, at the place that names it if there is one. */
  async #guard(path: string, { at }: { at?: Position }, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      const { code, message } = error instanceof Unreadable ? error : unreadable(error)
      this.#error(
        code,
        `${JSON.stringify(at === undefined ? this.#name(path) : path)}: ${message}`,
        at ?? this.#start(path),
      )
    }
  }

  #error(code: string, message: string, at: Position): void {
    this.diagnostics.push({ severity: 'error', code, message, at })
  }

  #start(path: string): Position {
    return { file: this.#name(path), line: 1, column: 1 }
  }

  #name(path: string): string {
    return nameOf(path, this.#relativeTo)
  }
}

/** A path as positions show it: relative, with `/` on every system. */
export function nameOf(path: string, relativeTo: string): string {
  return relative(relativeTo, path).split(sep).join('/') || '.'
}
