import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { schedulerMetricNames } from '@bulkhead/intents'
import { temporaryFolder } from '@bulkhead/testing'
import { intent, startScheduler } from '../testing/scheduler.js'
import { machineId } from './machine-id.js'

const told = Object.fromEntries(schedulerMetricNames.map((name, at) => [name, at * 10]))

test('2.3: what is posted is a gauge of the contract’s name with the machine’s id; before that there is none', async (t) => {
  const scheduler = startScheduler(t)
  const scrape = async (): Promise<string[]> =>
    (await scheduler.agent.get('/metrics').expect(200)).text
      .split('\n')
      .filter((line) => /^(user_sched|nr_)/.test(line))
  assert.deepEqual(await scrape(), [])
  const post = async (body: object) =>
    scheduler.agent
      .post('/api/v1/metrics')
      .set('authorization', await scheduler.asSchedExt())
      .send(body)
  const { status, body } = await post({ ...told, nr_of_a_later_version: 'x' })
  assert.deepEqual([status, Object.keys(body)], [200, ['success', 'timestamp']])
  assert.deepEqual(
    await scrape(),
    schedulerMetricNames.map(
      (name, at) => `${at === 0 ? 'user_sched_last_run_at' : name}{machine_id="machine-1"} ${at * 10}`,
    ),
  )
  await post({ ...told, nr_queued: 99 })
  assert.equal((await scrape())[1], 'nr_queued{machine_id="machine-1"} 99')
})

test('2.1: eleven uint64, exact or as near as Prometheus has them; whatever else is a 400 and changes nothing', async (t) => {
  const scheduler = startScheduler(t)
  const authorization = await scheduler.asSchedExt()
  const post = (body: string) =>
    scheduler.agent
      .post('/api/v1/metrics')
      .set('authorization', authorization)
      .set('content-type', 'application/json')
      .send(body)
  const withQueued = (value: string): string =>
    JSON.stringify({ ...told, nr_queued: 0 }).replace('"nr_queued":0', `"nr_queued":${value}`)
  // A time in nanoseconds since the boot is above 2^53 after 104 days.
  for (const value of ['0', '-0', '9007199254740993', '18446744073709551615', '1e3'])
    await post(withQueued(value)).expect(200)
  const metric = async () => (await scheduler.agent.get('/metrics')).text.match(/^nr_queued\{.*$/m)?.[0]
  const before = await metric()
  assert.equal(before, 'nr_queued{machine_id="machine-1"} 1000')
  for (const value of ['-1', '1.5', '1e400', '1e30', '"1"', 'null', 'true', '[]', '{}', 'NaN', '0x10']) {
    const { status, body } = await post(withQueued(value))
    assert.deepEqual([status, body.code], [400, 'INVALID_BODY'], value)
  }
  const { nr_queued: _, ...ten } = told
  await post(JSON.stringify(ten)).expect(400)
  assert.equal(await metric(), before)
})

test('D9: /metrics is open, as the contract has it: the walls keep it inside; it says how many intents, and not of whom', async (t) => {
  const scheduler = startScheduler(t)
  await scheduler.put(7, [intent({ podName: 'nobody-elses-business' })])
  const { text } = await scheduler.agent.get('/metrics').expect(200)
  assert.match(text, /^scheduler_intents 1$/m)
  assert.match(text, /^scheduler_set_version 7$/m)
  assert.doesNotMatch(text, /nobody-elses-business/)
})

test('2.3: the machine’s id is without the newline of its file, and there is always one', (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'machine-id')
  writeFileSync(file, '0123abcd\n')
  assert.equal(machineId(undefined, file), '0123abcd')
  assert.equal(machineId(' given\n', file), 'given')
  writeFileSync(file, '\n')
  assert.equal(machineId(undefined, file), 'unknown-machine-id')
  assert.equal(machineId(undefined, join(folder, 'none')), 'unknown-machine-id')
  assert.equal(machineId('x'.repeat(1_000), file).length, 128)
})
