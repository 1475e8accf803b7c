import { execFile } from 'node:child_process'
import { CliError, type Io } from '../io.js'

/** A git command that ended with an error. */
export class GitError extends Error {
  readonly stderr: string

  constructor(args: readonly string[], stderr: string) {
    super(`git ${args.join(' ')}: ${stderr.trim()}`)
    this.name = 'GitError'
    this.stderr = stderr
  }
}

/** More than any set of manifests; what a command has written by then is not one. */
const mostBytes = 256 * 1024 * 1024

/**
 * Runs git, reading only: nothing is fetched, no index is refreshed, and no word of a user's is taken for an option as
 * long as it stands behind `--end-of-options` or `--`.
 * @throws GitError, or CliError where git itself is not there
 */
export function git(io: Io, cwd: string, args: readonly string[], input?: string): Promise<Buffer> {
  const env = {
    ...io.env,
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_TERMINAL_PROMPT: '0',
    // Names are names here, `*` is no pattern.
    GIT_LITERAL_PATHSPECS: '1',
  }
  return new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      [...args],
      { cwd, env, encoding: 'buffer', maxBuffer: mostBytes, signal: io.signal, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else if (error.code === 'ENOENT') reject(noGit())
        else if (error.name === 'AbortError') reject(error)
        else reject(new GitError(args, stderr.toString() || error.message))
      },
    )
    // git may end before it has read everything; what it says then is in its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function noGit(): CliError {
  return new CliError(
    'revisions are read with git, and there is no git in PATH. Install it, or name two folders that hold the manifests.',
  )
}

/** The root of the repository that the folder is in; undefined where it is in none, or where there is no git. */
export async function repositoryOf(io: Io, cwd: string): Promise<string | undefined> {
  try {
    const path = (await git(io, cwd, ['rev-parse', '--show-toplevel'])).toString().replace(/\n$/, '')
    return path === '' ? undefined : path
  } catch (error) {
    if (error instanceof GitError || error instanceof CliError) return undefined
    throw error
  }
}
