import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ResolvedAttempt } from '@bulkhead/scenarios'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { Probes } from './probes.js'
import { ProcessList, processStamp } from './processes.js'

/** In place of the probe program: says its process and what it was asked, then what `then` says. */
const program = (then: string) => `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { host } = JSON.parse(line)
  console.log(JSON.stringify({ symptom: 'ok', detail: { pid: process.pid, host } }))
  ${then}
})`
const ready = `console.log('{"ready":true}')`

const attempt = (host: string): ResolvedAttempt => ({ kind: 'tcp', to: { host }, host, port: 80 })

function pool(t: TestContext, then = ready) {
  const folder = temporaryFolder(t)
  const probes = new Probes(new ProcessList(join(folder, 'processes.json')))
  cleanUp(t, () => probes.close())
  const runs: string[] = []
  let over = 0
  const launch = () => ({
    argv: [process.execPath, '-e', program(then)] as const,
    cwd: folder,
    env: {},
    mark: (run: string) => void runs.push(run),
    over: () => {
      over += 1
    },
  })
  const make = async (owner: AbortSignal, host: string) => {
    const probe = probes.borrow('shop/sleep', owner, launch)
    try {
      const { detail } = await probe.make(`run-${host}`, attempt(host), {})
      assert.equal(detail?.host, host)
      return Number(detail?.pid)
    } finally {
      await probes.giveBack(probe)
    }
  }
  return { probes, make, launch, runs, over: () => over }
}

const gone = (pid: number): boolean => processStamp(pid) === undefined

test('a probe that is ready again makes the next attempt of its pod, marked as that run, and no other pod’s', async (t) => {
  const { make, runs, over } = pool(t)
  const [sleep, intruder] = [new AbortController(), new AbortController()]
  const first = await make(sleep.signal, 'a')
  assert.equal(await make(sleep.signal, 'b'), first)
  const other = await make(intruder.signal, 'c')
  assert.notEqual(other, first)
  assert.deepEqual(runs, ['run-a', 'run-b', 'run-c'])
  // Two at once are two processes.
  const both = await Promise.all([make(sleep.signal, 'd'), make(sleep.signal, 'e')])
  assert.equal(new Set(both).size, 2)
  assert.ok(both.includes(first))
  assert.equal(over(), 0)
})

test('one that does not say that nothing is left in it makes no other attempt', async (t) => {
  const { make, over } = pool(t, 'setTimeout(() => process.exit(0), 20)')
  const { signal } = new AbortController()
  const first = await make(signal, 'a')
  assert.ok(gone(first))
  assert.notEqual(await make(signal, 'b'), first)
  assert.equal(over(), 2)
})

test('a pod’s end ends its probes, and no others; closing ends all', async (t) => {
  const { make, probes, over } = pool(t)
  const [ended, stays] = [new AbortController(), new AbortController()]
  const first = await make(ended.signal, 'a')
  const second = await make(stays.signal, 'b')
  ended.abort()
  await eventually('it is gone', () => gone(first) && over() === 1)
  assert.ok(!gone(second))
  // One that makes an attempt for a pod that is ending is not kept.
  assert.ok(gone(await make(ended.signal, 'c')))
  await probes.close()
  assert.ok(gone(second))
  assert.ok(gone(await make(stays.signal, 'd')))
})

test('an attempt that is called off ends its probe', async (t) => {
  const { probes, launch } = pool(t, 'setInterval(() => {}, 1000)')
  const calledOff = new AbortController()
  const probe = probes.borrow('shop/sleep', new AbortController().signal, launch)
  const made = probe.make('run', attempt('a'), { signal: calledOff.signal })
  calledOff.abort(new Error('enough'))
  await assert.rejects(made, /enough/)
  await probes.giveBack(probe)
  assert.equal(probe.ready, false)
})

test('one that ends without saying what it saw is told with its last words', async (t) => {
  const { probes, launch } = pool(t)
  const broken = {
    ...launch(),
    argv: [process.execPath, '-e', 'console.error("no such thing"); process.exit(3)'] as const,
  }
  const probe = probes.borrow('shop/sleep', new AbortController().signal, () => broken)
  await assert.rejects(probe.make('run', attempt('a'), {}), {
    code: 'attempt-failed',
    message: 'the probe in shop/sleep ended (exit code 3) without saying what it saw: no such thing',
  })
  await probes.giveBack(probe)
})
