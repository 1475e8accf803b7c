import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { ControlClient } from './client.js'

test('a target is found by its folder, and its absence is told', (t) => {
  const stateDir = temporaryFolder(t)
  assert.throws(() => ControlClient.find(stateDir), {
    code: 'not-up',
    message: /nothing is up here \(no .*control\.json\); start it with npm start/,
  })
  writeFileSync(
    join(stateDir, 'control.json'),
    JSON.stringify({ pid: process.pid, stamp: 'another process', url: 'http://127.0.0.1:1', token: 't' }),
  )
  assert.throws(() => ControlClient.find(stateDir), { code: 'not-up', message: /ended without saying so/ })
})

test('a target that hangs is not waited for', async (t) => {
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(hanging, 'listening')
  cleanUp(t, () => {
    hanging.close()
    hanging.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(hanging.address() as AddressInfo).port}`
  const client = new ControlClient({ pid: 1, url, token: 't' }, { answer: 50, change: 100 })
  const told = (seconds: number) => ({
    code: 'unreachable',
    message: `the target at ${url} does not answer (nothing within ${seconds} s).`,
  })
  await assert.rejects(client.status(), told(0.05))
  await assert.rejects(client.exec('shop/sleep'), told(0.05))
  await assert.rejects(client.setLayers({ off: ['x'] }), told(0.1))
})
