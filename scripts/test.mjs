#!/usr/bin/env node
// `npm test`: set-up, then every test of the repository. Usage:
//   npm test                     all of it
//   npm test -- verdict layer    only test files whose path contains "verdict" or "layer"
//   npm run test:long            with more random cases and longer loads (BULKHEAD_LONG=1)
import './lib/node-version.mjs'
import path from 'node:path'
import { Failure, tell } from './lib/failure.mjs'
import { root } from './lib/root.mjs'
import { runTests } from './lib/run-tests.mjs'
import { compiled, filesBelow, workspaces } from './lib/workspaces.mjs'
import { setUp } from './setup.mjs'

const minute = 60_000

/**
 * What to run, relative to the root. Listed one by one, from the sources: `node --test FOLDER` means different things to
 * different versions of Node, and dist/ may still hold the test of a file that is gone.
 */
function testFiles(filters) {
  const found = workspaces(root)
    .flatMap((folder) =>
      filesBelow(path.join(root, folder, 'src'))
        .filter((file) => file.endsWith('.test.ts'))
        .map((source) => ({ source, run: compiled(path.join(root, folder), source) })),
    )
    .concat(
      filesBelow(path.join(root, 'scripts'))
        .filter((file) => file.endsWith('.test.mjs'))
        .map((source) => ({ source, run: source })),
    )
    .map(({ source, run }) => ({ source: path.relative(root, source), run: path.relative(root, run) }))
  const wanted = found.filter(({ source }) => filters.length === 0 || filters.some((filter) => source.includes(filter)))
  if (wanted.length > 0) return wanted.map(({ run }) => run)
  throw new Failure(
    filters.length > 0
      ? `No test file's path contains ${filters.map((filter) => `"${filter}"`).join(' or ')}.`
      : 'There is no test file.',
  )
}

try {
  const args = process.argv.slice(2)
  const long = args.includes('--long')
  const files = testFiles(args.filter((arg) => arg !== '--long'))
  await setUp()
  process.exitCode = await runTests(files, {
    cwd: root,
    env: long ? { ...process.env, BULKHEAD_LONG: '1' } : process.env,
    // Against what hangs, of a process and of a test: a busy machine takes several times as long as an idle one.
    timeoutMs: long ? 60 * minute : 10 * minute,
  })
} catch (error) {
  tell(error)
}
