import assert from 'node:assert/strict'
import { test } from 'node:test'
import { command } from './plan/testing.js'
import type { Action } from './plan/types.js'
import { runAction } from './run-action.js'
import { type Answers, recordingTools } from './testing/index.js'

const trial: Action = { kind: 'refused', command: command('kubectl', 'create'), by: 'no-root' }
const refusal = (policy: string) => ({
  code: 1,
  stderr: `Error from server: admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy ${policy} failed: no\n`,
})
const options = { pauseMs: 0, secretsText: async () => 'the text' }

/** By a clock on which each call takes so long. */
async function asked(action: Action, answers: Answers, eachMs = 2_000): Promise<number> {
  const tools = recordingTools([['kubectl create', answers]])
  await runAction(tools, action, { ...options, elapsedMs: () => tools.asked.length * eachMs })
  return tools.asked.length
}

test('a refusal by the policy is what is wanted, and one that comes a moment later is waited for', async () => {
  assert.equal(await asked(trial, refusal('no-root')), 1)
  const open = { stdout: 'pod/x created (server dry run)\n' }
  assert.equal(await asked(trial, [open, open, refusal('no-root')]), 3)
})

test('what is admitted, refused by somebody else, or refused in part is none', async () => {
  await assert.rejects(
    asked(trial, { stdout: 'pod/x created (server dry run)\n' }),
    /no-root let something in: pod\/x created/,
  )
  await assert.rejects(asked(trial, refusal('no-privilege')), /no-root is not what refused it/)
  await assert.rejects(
    asked(trial, { code: 1, stderr: 'connection refused' }),
    /no-root is not what refused it, and was asked 30 times in 60 s/,
  )
  const part = { ...refusal('no-root'), stdout: 'pod/y created (server dry run)\n' }
  await assert.rejects(asked(trial, part), /let something in: pod\/y/)
})

test('an answer is asked for until it says what it has to, and no longer than it may take', async () => {
  const says: Action = {
    ...{ kind: 'says', command: command('kubectl', 'create'), text: '"timeout"' },
    ...{ meaning: 'It times out', withinMs: 10_000 },
  }
  assert.equal(await asked(says, [{ stdout: '"ok"' }, { code: 1, stdout: '"timeout"' }, { stdout: '"timeout"' }]), 3)
  await assert.rejects(
    asked(says, { stdout: '"ok"' }),
    /the answer has no "timeout" in it, and was asked 5 times in 10 s/,
  )
  await assert.rejects(asked(says, { code: 7 }), /it ended with code 7/)
})

test('a minute is a minute, however long each call takes', async () => {
  const late = refusal('another')
  await assert.rejects(asked(trial, late, 15_000), /and was asked 4 times in 60 s/)
  await assert.rejects(asked(trial, late, 61_000), /and was asked once in 61 s/)
  assert.equal(await asked(trial, [late, late, refusal('no-root')], 15_000), 3)
})

test('text that is made here goes to stdin', async () => {
  const piped: Action = { kind: 'piped', from: ['x'], command: { ...command('kubectl', 'create'), secret: true } }
  const tools = recordingTools([['kubectl create', {}]])
  await runAction(tools, piped, options)
  assert.deepEqual([tools.asked[0]?.stdin, tools.asked[0]?.secret], ['the text', true])
})

test('a command that a signal ended has not done what it was there for', async () => {
  const run: Action = { kind: 'run', command: command('kubectl', 'create') }
  await assert.rejects(asked(run, { signal: 'SIGKILL' }), /it was ended \(SIGKILL\)/)
})
