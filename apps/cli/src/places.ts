import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { CliError, type Io } from './io.js'

/** Where the repository's folders are, as absolute paths. */
export interface Places {
  readonly root: string
  /** The manifests. */
  readonly k8s: string
  readonly scenarios: string
}

/**
 * The folder that holds `k8s/`, from the working directory upwards, so that commands work anywhere in a clone.
 * `manifests` (of `--manifests DIR`) takes the place of `k8s/`.
 * @throws CliError when there is none, or the folder given is none.
 */
export function findPlaces(io: Pick<Io, 'cwd'>, manifests?: string): Places {
  const root = findRoot(io.cwd)
  if (manifests !== undefined) {
    const k8s = path.resolve(io.cwd, manifests)
    requireFolder(k8s, manifests)
    const base = root ?? path.dirname(k8s)
    return { root: base, k8s, scenarios: path.join(base, 'scenarios') }
  }
  if (root === undefined) {
    throw new CliError(
      `there is no k8s/ folder in "${io.cwd}" or above it. Run this inside a clone of the repository, or name the manifests with --manifests DIR.`,
    )
  }
  return { root, k8s: path.join(root, 'k8s'), scenarios: path.join(root, 'scenarios') }
}

/** What manifests' files are named relative to, as the running target names them: the clone, or where there is none, here. */
export const rootOf = ({ cwd }: Pick<Io, 'cwd'>): string => findRoot(cwd) ?? cwd

/** `.bulkhead/` beside `k8s/`, or what `--state DIR` says. */
export function stateDirectory(io: Pick<Io, 'cwd'>, state?: string): string {
  if (state !== undefined) return path.resolve(io.cwd, state)
  return path.join(findRoot(io.cwd) ?? io.cwd, '.bulkhead')
}

/** A path as it is shown: from the working directory when it is in it. */
export function shownPath(io: Pick<Io, 'cwd'>, absolute: string): string {
  const relative = path.relative(io.cwd, absolute)
  return relative === '' || relative === '..' || relative.startsWith('../') ? absolute : relative
}

/** A word of a command line as a shell takes it. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** @throws CliError when it is not a folder; `given` is quoted. */
export function requireFolder(folder: string, given: string): void {
  if (!existsSync(folder)) throw new CliError(`there is no folder "${given}".`)
  if (!statSync(folder).isDirectory()) throw new CliError(`"${given}" is a file; a folder with manifests is needed.`)
}

function findRoot(from: string): string | undefined {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    if (isFolder(path.join(folder, 'k8s')) && existsSync(path.join(folder, 'package.json'))) return folder
    if (path.dirname(folder) === folder) return undefined
  }
}

function isFolder(candidate: string): boolean {
  return statSync(candidate, { throwIfNoEntry: false })?.isDirectory() ?? false
}
