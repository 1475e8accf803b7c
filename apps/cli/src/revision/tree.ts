import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CliError, type Io } from '../io.js'
import { GitError, git } from './git.js'

/** One entry of a commit. */
interface Entry {
  readonly mode: string
  readonly hash: string
  /** From the repository's root, with `/`. */
  readonly file: string
}

export interface Commit {
  readonly hash: string
  /** As people name it: `HEAD~1 (1a2b3c4)`. */
  readonly title: string
}

/**
 * The commit that a word means: a branch, a tag, `HEAD~1`, a hash.
 * @throws CliError when there is none, with near names
 */
export async function commitOf(io: Io, repository: string, revision: string): Promise<Commit> {
  try {
    const found = await git(io, repository, ['rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`])
    const hash = found.toString().trim()
    return { hash, title: revision === hash ? hash.slice(0, 10) : `${revision} (${hash.slice(0, 7)})` }
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    throw new CliError(
      `there is no folder and no git revision ${JSON.stringify(revision)}${await hint(io, repository, revision)}`,
    )
  }
}

async function hint(io: Io, repository: string, revision: string): Promise<string> {
  const { didYouMean } = await import('@bulkhead/resources/suggest')
  const names = await git(io, repository, ['for-each-ref', '--format=%(refname:short)'])
    .then((text) => text.toString().split('\n').filter(Boolean))
    .catch(() => [])
  const meant = didYouMean(revision, names)
  if (meant !== '') return meant
  const shallow = await git(io, repository, ['rev-parse', '--is-shallow-repository']).catch(() => Buffer.alloc(0))
  return shallow.toString().trim() === 'true'
    ? '. This clone is shallow, so older commits are not in it; `git fetch --unshallow` brings them.'
    : '.'
}

/**
 * Writes the manifests that a commit has under a folder into another folder, each at its path from the repository's root:
 * files that can be manifests, and links to them.
 * @throws CliError when the commit has no such folder, or one with a link that leads out of it
 */
export async function writeTree(
  io: Io,
  repository: string,
  commit: Commit,
  folder: string,
  into: string,
): Promise<void> {
  const entries = await entriesOf(io, repository, commit, folder)
  if (entries.length === 0) throw new CliError(`${commit.title} has no folder ${JSON.stringify(folder || '.')}.`)
  const wanted = entries.filter(({ mode, file }) => mode === link || (mode.startsWith('100') && isManifest(file)))
  for (const { file } of wanted) {
    if (!file.split('/').some((name) => name === '..' || name === '.' || name === '')) continue
    throw new CliError(
      `${commit.title} has ${JSON.stringify(file)}, a name that leads out of the commit; nothing of it is read.`,
    )
  }
  const contents = await readBlobs(io, repository, wanted)
  const laid = wanted.flatMap((entry, index) => {
    const content = contents[index]
    return content === undefined ? [] : [{ ...entry, content, target: path.join(into, ...entry.file.split('/')) }]
  })
  // Links last: nothing is written by way of one.
  for (const { mode, target, content } of laid) {
    if (mode === link) continue
    await mkdir(path.dirname(target), { recursive: true })
    await writeFile(target, content)
  }
  const notFollowed = (file: string, to: string) =>
    new CliError(
      `${commit.title}: ${JSON.stringify(file)} is a link to ${JSON.stringify(to)}, which is no manifest of ${JSON.stringify(folder || '.')} there; such a link is not followed.`,
    )
  const there = foldersAndFiles(wanted)
  const links: { readonly file: string; readonly to: string; readonly target: string }[] = []
  for (const { mode, file, target, content } of laid) {
    if (mode !== link) continue
    const to = content.toString()
    const leads = !path.posix.isAbsolute(to) && there.has(path.posix.join(path.posix.dirname(file), to))
    // A link to a page of text is nobody's manifest.
    if (!leads && !isManifest(file) && path.posix.extname(file) !== '') continue
    // It would read this machine's files into the commit, or nothing.
    if (!leads) throw notFollowed(file, to)
    await mkdir(path.dirname(target), { recursive: true })
    await symlink(to, target)
    links.push({ file, to, target })
  }
  // What stays inside by its letters can lead out by way of another link.
  const inside = await realpath(into)
  for (const { file, to, target } of links) {
    const real = await realpath(target).catch(() => undefined)
    if (real === undefined || !real.startsWith(`${inside}${path.sep}`)) throw notFollowed(file, to)
  }
}

function foldersAndFiles(entries: readonly Entry[]): ReadonlySet<string> {
  const all = new Set<string>()
  for (const { file } of entries) {
    for (let name = file; name !== '.' && !all.has(name); name = path.posix.dirname(name)) all.add(name)
  }
  return all
}

const link = '120000'
const isManifest = (file: string): boolean => /\.ya?ml$/.test(file) || path.posix.basename(file) === 'Kustomization'

async function entriesOf(io: Io, repository: string, { hash }: Commit, folder: string): Promise<readonly Entry[]> {
  const inside = folder === '' ? [] : ['--', `${folder}/`]
  const listed = await git(io, repository, ['ls-tree', '-r', '-z', '--full-tree', hash, ...inside])
  return listed
    .toString()
    .split('\0')
    .flatMap((line) => {
      const [, mode, blob, file] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? []
      return mode === undefined || blob === undefined || file === undefined ? [] : [{ mode, hash: blob, file }]
    })
}

/** The contents, in the order of the entries: all by one process. */
async function readBlobs(io: Io, repository: string, entries: readonly Entry[]): Promise<readonly Buffer[]> {
  if (entries.length === 0) return []
  const input = entries.map(({ hash }) => `${hash}\n`).join('')
  const output = await git(io, repository, ['cat-file', '--batch'], input)
  const contents: Buffer[] = []
  let at = 0
  for (const { hash, file } of entries) {
    const end = output.indexOf(0x0a, at)
    const header = output.subarray(at, end).toString()
    const size = /^[0-9a-f]+ blob (\d+)$/.exec(header)?.[1]
    if (end === -1 || size === undefined) {
      throw new CliError(`git has no content for ${JSON.stringify(file)} (${hash.slice(0, 7)}): ${header}.`)
    }
    contents.push(output.subarray(end + 1, end + 1 + Number(size)))
    at = end + 1 + Number(size) + 1
  }
  return contents
}
