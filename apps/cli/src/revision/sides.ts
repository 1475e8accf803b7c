import { existsSync, statSync } from 'node:fs'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CliError, type Io } from '../io.js'
import type { ManifestSet } from '../manifests.js'
import { findPlaces, requireFolder } from '../places.js'
import { git, repositoryOf } from './git.js'
import { commitOf, writeTree } from './tree.js'

/** Where the manifests are that two revisions are compared by. */
export interface Ground {
  /** The root of the repository; undefined outside of one. */
  readonly repository?: string
  /** What places in files are relative to. */
  readonly base: string
  /** The folder of manifests in the working tree. */
  readonly folder: string
  /** The same, from the base, with `/`. */
  readonly shown: string
}

/** @throws CliError where there are no manifests to be found, and none are named. */
export async function groundOf(io: Io, given?: string): Promise<Ground> {
  const repository = await repositoryOf(io, io.cwd)
  const cwd = await realpath(io.cwd)
  const { root, k8s } = given === undefined ? findPlaces({ cwd }) : { root: cwd, k8s: '' }
  const base = repository ?? root
  const folder = given === undefined ? k8s : path.resolve(base, given)
  const shown = path.relative(base, folder).split(path.sep).join('/')
  if (shown === '..' || shown.startsWith('../') || path.isAbsolute(shown)) {
    throw new CliError(`--path ${JSON.stringify(given ?? folder)} leads out of ${JSON.stringify(base)}.`)
  }
  return { ...(repository !== undefined && { repository }), base, folder, shown }
}

/**
 * Calls `use` with the manifests that a word of the command line means: the working tree (`.`), a folder, or a git revision,
 * whose manifests lie in a private folder as long as `use` runs.
 */
export async function withSide<T>(
  io: Io,
  word: string,
  ground: Ground,
  use: (set: ManifestSet) => Promise<T>,
): Promise<T> {
  if (word === '.') {
    requireFolder(ground.folder, ground.shown)
    return use(setOf(ground.folder, ground.base, 'the working tree'))
  }
  const folder = path.resolve(io.cwd, word)
  if (existsSync(folder)) {
    requireFolder(folder, word)
    const real = await realpath(folder)
    const inside = real.startsWith(`${ground.base}${path.sep}`)
    return use(setOf(real, inside ? ground.base : path.dirname(real), word))
  }
  if (ground.repository === undefined) {
    // Without git nobody knows whether it is one.
    await git(io, io.cwd, ['--version'])
    throw new CliError(
      `there is no folder ${JSON.stringify(word)}, and it cannot be a git revision: "${io.cwd}" is in no git repository.`,
    )
  }
  const commit = await commitOf(io, ground.repository, word)
  const into = await realpath(await mkdtemp(path.join(tmpdir(), 'bulkhead-diff-')))
  try {
    await writeTree(io, ground.repository, commit, ground.shown, into)
    const written = path.join(into, ...ground.shown.split('/'))
    if (!existsSync(written)) throw new CliError(`${commit.title} has no manifests in "${ground.shown}".`)
    return await use(setOf(written, into, commit.title))
  } finally {
    await rm(into, { recursive: true, force: true })
  }
}

/** Of a folder laid out as k8s/ is, what is in force: scenarios' own manifests beside it are not. */
function setOf(folder: string, base: string, title: string): ManifestSet {
  const parts = ['workloads', 'layers']
    .map((name) => path.join(folder, name))
    .filter((part) => statSync(part, { throwIfNoEntry: false })?.isDirectory() === true)
  return { folders: parts.length === 0 ? [folder] : parts, relativeTo: () => base, title }
}
