import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { grouped } from './groups.mjs'

/**
 * Runs test files with Node's own runner, its words going to stdout, and closes with the sums alone on a line.
 * @param files relative to `cwd`
 * @returns {Promise<number>} the exit code: 0 when something ran and nothing failed
 */
export function runTests(files, { cwd, env, timeoutMs }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bulkhead-test-'))
  const tally = path.join(folder, 'tally.json')
  const soFar = path.join(folder, 'so-far.jsonl')
  // The runner's own choice on two cores would be one file at a time; but half of the time is waiting for what does not come.
  const concurrency = Math.max(4, Math.min(6, availableParallelism()))
  const child = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('./runner.mjs', import.meta.url)),
      concurrency,
      timeoutMs,
      tally,
      soFar,
      ...grouped(files, { root: cwd, folder: path.join(folder, 'groups') }),
    ],
    { cwd, env, stdio: 'inherit' },
  )
  // A terminal's Ctrl-C reaches the runner by itself; this process only must not end before it.
  let stopped
  const stay = () => {
    stopped = 'SIGINT'
  }
  const pass = () => {
    stopped = 'SIGTERM'
    child.kill('SIGTERM')
  }
  process.on('SIGINT', stay)
  process.on('SIGTERM', pass)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.removeListener('SIGINT', stay)
      process.removeListener('SIGTERM', pass)
      // The runner may end by itself when it is told to stop, with a code of its own.
      const by = stopped ?? signal
      const { passed, failed, skipped } = readTally(by === null ? tally : soFar)
      rmSync(folder, { recursive: true, force: true })
      const sums = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
      if (by !== null) {
        console.log(`interrupted after ${passed + failed} tests: ${sums}`)
        resolve(by === 'SIGINT' ? 130 : 143)
        return
      }
      if (passed + failed === 0) process.stderr.write('No test ran.\n')
      console.log(sums)
      resolve(code === 0 && failed === 0 && passed > 0 ? 0 : 1)
    })
  })
}

/** The sums in the last line of a file. */
function readTally(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8').trim().split('\n').at(-1))
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}
