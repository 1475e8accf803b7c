import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { cleanUp } from './clean-up.js'
import { killed } from './process.js'

test('a process that minds no signal is over when it is said to be; one that is over is no mistake', async (t) => {
  const stubborn = `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['-e', stubborn], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanUp(t, () => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await Promise.all([killed(child), killed(child)])
  assert.equal(child.signalCode, 'SIGKILL')
  await killed(child)
})

test('one that never began is over', async () => {
  const none = spawn('bulkhead-no-such-program')
  const failed = once(none, 'error')
  await killed(none)
  await failed.catch(() => undefined)
})
