import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import { makeAttempt, parseAttempt } from '../attempt.js'

const attempt = { kind: 'run', to: { workload: 'sandbox/hacker-root' }, host: 'sandbox/hacker-root', port: 0 } as const

test('it says in which pod it runs, and opens no connection', async (t) => {
  const before = process.env.HOSTNAME
  cleanUp(t, () => {
    if (before === undefined) delete process.env.HOSTNAME
    else process.env.HOSTNAME = before
  })
  process.env.HOSTNAME = 'hacker-root'
  const { symptom, phase, bytes, detail, timings } = await makeAttempt(attempt)
  assert.deepEqual([symptom, phase], ['ok', 'answer'])
  assert.deepEqual(detail, { text: 'a program runs in the pod hacker-root', pod: 'hacker-root' })
  assert.ok(bytes > 0)
  assert.equal(timings.connect, undefined)

  delete process.env.HOSTNAME
  await assert.rejects(makeAttempt(attempt), { code: 'NO_POD', message: /this program is in no pod/ })
})

test('it needs no port', () => assert.equal(parseAttempt(JSON.stringify(attempt)).kind, 'run'))
