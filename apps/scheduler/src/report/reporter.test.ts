import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { EMPTY_ROOT, merkleRoot } from '@bulkhead/intents'
import { intent, startScheduler, type TestScheduler } from '../testing/scheduler.js'

/** Lets the timer go, and what follows happen. */
async function tick({ timers }: TestScheduler): Promise<void> {
  assert.ok(timers.fire(), 'nothing was waited for')
  await setImmediate()
}

const last = <T>(all: readonly T[]): T | undefined => all.at(-1)

const said = ({ lines }: TestScheduler): string[] =>
  lines
    .map((line) => JSON.parse(line) as { readonly msg: string })
    .map(({ msg }) => msg)
    .filter((msg) => /manager/.test(msg))

test('D10: at its start it says that it has no set, so that the manager pushes one', async (t) => {
  const scheduler = startScheduler(t)
  assert.deepEqual(scheduler.timers.waits, [], 'nothing before the start')
  scheduler.start()
  await tick(scheduler)
  assert.deepEqual(scheduler.manager.reports, [
    {
      podName: 'gthulhu-scheduler-x',
      startedAt: '2027-01-15T08:00:00.000Z',
      setVersion: 0,
      rootHash: EMPTY_ROOT,
      intents: 0,
    },
  ])
  assert.deepEqual(scheduler.timers.waits, [0, 30_000])
})

test('every 30 s, give or take a fifth', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.start()
  for (const [random, wait] of [
    [0, 24_000],
    [1, 36_000],
    [0.5, 30_000],
  ] as const) {
    scheduler.timers.random = () => random
    await tick(scheduler)
    assert.equal(last(scheduler.timers.waits), wait)
  }
})

test('soon after a new set it says what is in force, and with it the last word of the scheduler beside it', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.start()
  await tick(scheduler)
  await scheduler.put(7, [intent()])
  assert.equal(last(scheduler.timers.waits), 200)
  await scheduler.put(8, [intent({ priority: 1 })])
  assert.equal(scheduler.timers.waits.length, 3, 'two sets make one report')
  const metrics = Object.fromEntries(metricNames.map((name, at) => [name, at]))
  await scheduler.agent
    .post('/api/v1/metrics')
    .set('authorization', await scheduler.asSchedExt())
    .send(metrics)
    .expect(200)
  await tick(scheduler)
  const { setVersion, rootHash, intents, metrics: told } = last(scheduler.manager.reports) ?? {}
  assert.deepEqual([setVersion, rootHash, intents], [8, merkleRoot([intent({ priority: 1 })]), 1])
  assert.deepEqual(told, metrics)
  assert.equal(last(scheduler.timers.waits), 30_000)
  await scheduler.put(8, [intent({ priority: 1 })])
  assert.equal(last(scheduler.timers.waits), 30_000, 'the same set again is no news')
})

const metricNames = [
  'usersched_last_run_at',
  'nr_queued',
  'nr_scheduled',
  'nr_running',
  'nr_online_cpus',
  'nr_user_dispatches',
  'nr_kernel_dispatches',
  'nr_cancel_dispatches',
  'nr_bounce_dispatches',
  'nr_failed_dispatches',
  'nr_sched_congested',
]

test('a manager that is away is asked ever more seldom, told of once, and once when it is back', async (t) => {
  const scheduler = startScheduler(t)
  const { manager, timers } = scheduler
  timers.random = () => 1
  const well = manager.answer
  manager.answer = () => Promise.reject(new Error('connect ECONNREFUSED'))
  scheduler.start()
  for (let time = 0; time < 9; time++) await tick(scheduler)
  assert.deepEqual(timers.waits, [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  const away = 'the manager could not be told of this node; it is tried again'
  assert.deepEqual(said(scheduler), [away])
  assert.ok(scheduler.lines.some((line) => line.includes('ECONNREFUSED')))
  timers.random = () => 0
  await tick(scheduler)
  assert.equal(last(timers.waits), 15_000, 'a random part of it')
  manager.answer = well
  for (let time = 0; time < 3; time++) await tick(scheduler)
  assert.deepEqual(said(scheduler), [away, 'the manager knows this node as it is'])
  manager.answer = () => Promise.reject(new Error('again'))
  await tick(scheduler)
  assert.equal(last(timers.waits), 250, 'the next one begins anew')
  assert.equal(said(scheduler).length, 3)
  const { text } = await scheduler.agent.get('/metrics')
  assert.match(text, /^scheduler_reports_total\{result="failed"\} 11$/m)
  assert.match(text, /^scheduler_reports_total\{result="in sync"\} 3$/m)
})

test('a set that comes from a manager that did not answer is reported soon all the same', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.manager.answer = () => Promise.reject(new Error('away'))
  scheduler.start()
  for (let time = 0; time < 6; time++) await tick(scheduler)
  await scheduler.put(1, [intent()])
  assert.equal(last(scheduler.timers.waits), 200)
})

test('a manager that is never content is not pushed and reported to as fast as both can', async (t) => {
  const scheduler = startScheduler(t)
  const { manager, timers } = scheduler
  manager.answer = () => Promise.resolve({ rootHash: 'another', inSync: false })
  scheduler.start()
  const waits: (number | undefined)[] = []
  for (let version = 1; version <= 10; version++) {
    await tick(scheduler)
    await scheduler.put(version, [intent()])
    waits.push(last(timers.waits))
  }
  assert.deepEqual(waits, [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000])
  assert.equal(said(scheduler).length, 1)
})

test('a set that comes while a report is on its way is in the next one, soon', async (t) => {
  const scheduler = startScheduler(t)
  let answer: (() => void) | undefined
  scheduler.manager.answer = ({ rootHash }) =>
    new Promise((resolve) => {
      answer = () => resolve({ rootHash, inSync: true })
    })
  scheduler.start()
  await tick(scheduler)
  await scheduler.put(1, [intent()])
  answer?.()
  await setImmediate()
  assert.equal(last(scheduler.timers.waits), 200)
  await tick(scheduler)
  assert.deepEqual(
    scheduler.manager.reports.map(({ setVersion }) => setVersion),
    [0, 1],
  )
  answer?.()
})

test('the end takes back what is on its way, and nothing is told after it', async (t) => {
  const scheduler = startScheduler(t)
  const { manager, timers } = scheduler
  manager.answer = (_report, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))))
  scheduler.start()
  await tick(scheduler)
  await scheduler.service.close({ timeoutMs: 1_000 })
  assert.equal(manager.closed, true)
  assert.equal(timers.fire(), false)
  assert.deepEqual(said(scheduler), [])
})

test('processes that may not be read are told of once, and once when they may', async (t) => {
  const scheduler = startScheduler(t)
  const ask = async () =>
    scheduler.agent
      .get('/api/v1/pods/pids')
      .set('authorization', await scheduler.asManager())
      .expect(200)
  await ask()
  scheduler.denied = 3
  await ask()
  await ask()
  scheduler.denied = 0
  await ask()
  const lines = scheduler.lines.filter((line) => /processes of this node/.test(line))
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', /"denied":3,.*may not be read/)
  assert.match(lines[1] ?? '', /can be read again/)
})
