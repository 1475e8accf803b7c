import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'

/*
 * Test code: a git repository of its own, with manifests under k8s/.
 */

export interface Repository {
  readonly root: string
  /** Nothing of the machine's own git settings, and of a repository around the test. */
  readonly env: Readonly<Record<string, string | undefined>>
  git(...args: readonly string[]): string
  /** With something on its standard input. */
  gitWith(input: string, ...args: readonly string[]): string
  /** Writes a file, from the root; `change` gets what is in it. */
  write(file: string, change: string | ((text: string) => string)): void
  /** Commits everything, always at the same time by the same author: equal content has an equal hash. */
  commit(message: string): void
}

export function repositoryWith(t: TestContext, manifests: string): Repository {
  const root = realpathSync(temporaryFolder(t))
  const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')))
  const who = { NAME: 'Test', EMAIL: 'test@example.org', DATE: '2026-01-01T00:00:00Z' }
  const env = {
    ...plain,
    ...Object.fromEntries(
      Object.entries(who).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    ),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  }
  const gitWith = (input: string, ...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'init.defaultBranch=main', '-c', 'commit.gpgSign=false', ...args], {
      cwd: root,
      env,
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const git = (...args: readonly string[]): string => gitWith('', ...args)
  const repository: Repository = {
    root,
    env,
    git,
    gitWith,
    write(file, change) {
      const target = path.join(root, file)
      mkdirSync(path.dirname(target), { recursive: true })
      writeFileSync(target, typeof change === 'string' ? change : change(readFileSync(target, 'utf8')))
    },
    commit(message) {
      git('add', '--all')
      git('commit', '--quiet', '--message', message)
    },
  }
  git('init', '--quiet')
  cpSync(manifests, path.join(root, 'k8s'), { recursive: true })
  repository.write('package.json', '{}\n')
  repository.commit('the town')
  return repository
}
