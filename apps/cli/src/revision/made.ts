import type { Made } from '@bulkhead/scenarios'
import { CliError, type Io } from '../io.js'
import { GitError, git } from './git.js'

/** For a report that is kept: when the run begins, and of which revision of the clone. */
export async function madeNow(io: Io, root: string): Promise<Made> {
  const startedAt = new Date().toISOString()
  const revision = await revisionAt(io, root)
  return { startedAt, ...(revision && { revision }) }
}

/**
 * What is checked out in a clone. A change is what differs from the commit, and a file that git does not know where it has a part in what
 * is run: a report that was written beside them has none. Undefined where the folder is no clone itself, or where there is no git.
 */
export async function revisionAt(io: Io, root: string): Promise<Made['revision']> {
  const ask = async (...args: string[]): Promise<string> => (await git(io, root, args)).toString()
  try {
    const [inside, commit = ''] = (await ask('rev-parse', '--show-prefix', 'HEAD')).split('\n')
    // Unpacked into somebody's repository: what that has checked out says nothing of it.
    if (inside !== '') return undefined
    const changed = await ask('status', '--porcelain', '--untracked-files=no')
    const unknown = await ask(
      'ls-files',
      '--others',
      '--exclude-standard',
      '--',
      'k8s',
      'scenarios',
      'apps',
      'packages',
    )
    return { commit, changes: changed !== '' || unknown !== '' }
  } catch (error) {
    if (error instanceof GitError || error instanceof CliError) return undefined
    throw error
  }
}
