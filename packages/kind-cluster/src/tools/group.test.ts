import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { standIns } from '../testing/index.js'

const spawner = JSON.stringify(join(import.meta.dirname, 'spawn.js'))

/** Whether a process runs. One that has ended may be seen until its parent has heard of it, and in a container without an init for ever. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // No such file on macOS, or it is gone by now.
    return process.platform !== 'linux'
  }
}

test('what a program of ours has started itself ends with whoever started that, and exits without waiting', async (t) => {
  const folder = temporaryFolder(t)
  const kubectl = standIns(folder, { kubectl: [{ args: '', hangs: 'deaf', child: 'stays' }] })
  // As `verify` is under `cluster up`: it starts kubectl in a group of its own, and at a signal leaves with it.
  writeFileSync(
    join(folder, 'verify.mjs'),
    `import { spawnTools } from ${spawner}
    process.on('SIGTERM', () => process.exit(143))
    await spawnTools({ cwd: '.' }).run({ tool: 'kubectl', args: ['exec'], timeoutMs: 600_000 })`,
  )
  writeFileSync(
    join(folder, 'up.mjs'),
    `import { spawnTools } from ${spawner}
    spawnTools({ cwd: ${JSON.stringify(folder)} })
      .run({ tool: 'node', args: ['verify.mjs'], timeoutMs: 600_000, graceMs: 300_000 })
    process.stdin.once('data', () => process.exit(130))`,
  )
  const PATH = `${kubectl.path}:${dirname(process.execPath)}`
  const up = spawn(process.execPath, [join(folder, 'up.mjs')], { env: { PATH }, stdio: ['pipe', 'ignore', 'inherit'] })
  cleanUp(t, () => up.kill('SIGKILL'))
  const called = await eventually('kubectl is called', () => kubectl.asked()[0])
  const [pid, child = 0] = [called.pid, called.child]
  cleanUp(t, () => {
    for (const one of [pid, child]) if (runs(one)) process.kill(one, 'SIGKILL')
  })
  const ended = once(up, 'exit')
  up.stdin.write('now\n')
  assert.deepEqual(await ended, [130, null])
  await eventually('kubectl and what it has started are gone', () => !runs(pid) && !runs(child))
})
