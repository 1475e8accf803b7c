import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ControlClient } from './client.js'

test('a target is found by its folder, and its absence is told', (t) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'bh-test-'))
  t.after(() => rmSync(stateDir, { recursive: true, force: true }))
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
