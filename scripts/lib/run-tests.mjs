import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { grouped } from './groups.mjs'

/**
 * Runs test files with Node's own runner, its words going to stdout, and closes with the sums alone on a line.
 * @param files relative to `cwd`
 * @param options.together the workspaces whose test files may share a process, and of them those that are long enough alone
 * @returns {Promise<number>} the exit code: 0 when something ran and nothing failed
 */
export function runTests(files, { cwd, env, timeoutMs, together = { workspaces: [] } }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bulkhead-test-'))
  const tally = path.join(folder, 'tally.json')
  const child = spawn(
    process.execPath,
    [
      '--test',
      // The runner's own choice on two cores would be one file at a time; but half of the time is waiting for what does not come.
      `--test-concurrency=${Math.max(4, Math.min(6, availableParallelism()))}`,
      `--test-timeout=${timeoutMs}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${fileURLToPath(new URL('./tally-reporter.mjs', import.meta.url))}`,
      `--test-reporter-destination=${tally}`,
      ...grouped(files, { root: cwd, folder: path.join(folder, 'groups'), ...together }),
    ],
    { cwd, env, stdio: 'inherit' },
  )
  // A terminal's Ctrl-C reaches the runner by itself; this process only must not end before it.
  const stay = () => {}
  const pass = () => child.kill('SIGTERM')
  process.on('SIGINT', stay)
  process.on('SIGTERM', pass)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.removeListener('SIGINT', stay)
      process.removeListener('SIGTERM', pass)
      const { passed, failed, skipped } = readTally(tally)
      rmSync(folder, { recursive: true, force: true })
      if (passed + failed === 0 && !signal) process.stderr.write('No test ran.\n')
      console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
      if (signal) resolve(signal === 'SIGINT' ? 130 : 143)
      else resolve(code === 0 && failed === 0 && passed > 0 ? 0 : 1)
    })
  })
}

function readTally(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}
