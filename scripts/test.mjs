#!/usr/bin/env node
// `npm test`: set-up, then every test of the repository. Usage:
//   npm test                     all of it
//   npm test -- verdict layer    only test files whose path contains "verdict" or "layer"
//   npm run test:long            with more random cases and longer loads (BULKHEAD_LONG=1)
import './lib/node-version.mjs'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { tell } from './lib/failure.mjs'
import { root } from './lib/root.mjs'
import { compiled, filesBelow, workspaces } from './lib/workspaces.mjs'
import { setUp } from './setup.mjs'

const args = process.argv.slice(2)
const long = args.includes('--long')
const filters = args.filter((arg) => arg !== '--long')

await setUp().catch(tell)

// Listed one by one, from the sources: `node --test FOLDER` means different things to different versions of Node,
// and dist/ may still hold the test of a file that is gone.
const files = [
  ...workspaces(root).flatMap((folder) =>
    filesBelow(path.join(root, folder, 'src'))
      .filter((file) => file.endsWith('.test.ts'))
      .map((source) => ({ source, run: compiled(path.join(root, folder), source) })),
  ),
  ...filesBelow(path.join(root, 'scripts'))
    .filter((file) => file.endsWith('.test.mjs'))
    .map((source) => ({ source, run: source })),
].filter(({ source }) => filters.length === 0 || filters.some((filter) => path.relative(root, source).includes(filter)))

if (files.length === 0) {
  tellAndLeave(
    filters.length > 0
      ? `No test file's path contains ${filters.map((filter) => `"${filter}"`).join(' or ')}.`
      : 'There is no test file.',
  )
}

const folder = mkdtempSync(path.join(tmpdir(), 'bulkhead-test-'))
const tally = path.join(folder, 'tally.json')
const child = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${Math.max(2, Math.min(4, availableParallelism()))}`,
    `--test-timeout=${long ? 3_600_000 : 300_000}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${fileURLToPath(new URL('./lib/tally-reporter.mjs', import.meta.url))}`,
    `--test-reporter-destination=${tally}`,
    ...files.map(({ run }) => path.relative(root, run)),
  ],
  { cwd: root, stdio: 'inherit', env: long ? { ...process.env, BULKHEAD_LONG: '1' } : process.env },
)

// A terminal's Ctrl-C reaches the runner by itself; this process only must not end before it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))

child.on('close', (code, signal) => {
  const { passed, failed } = readTally()
  rmSync(folder, { recursive: true, force: true })
  console.log(`${passed} passed, ${failed} failed`)
  if (signal) process.exitCode = signal === 'SIGINT' ? 130 : 143
  else if (passed + failed === 0) tellAndLeave('No test ran.')
  else process.exitCode = code !== 0 || failed > 0 ? 1 : 0
})

function readTally() {
  try {
    return JSON.parse(readFileSync(tally, 'utf8'))
  } catch {
    return { passed: 0, failed: 0 }
  }
}

function tellAndLeave(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
