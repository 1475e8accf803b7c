import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { readCommandRegex } from '@bulkhead/intents'
import type { ReadyIntent } from '../intents/compile.js'
import { intent, POD_A, POD_B, running, startScheduler } from '../testing/scheduler.js'
import { MAX_SELECTORS, schedule, schedulingJson } from './scheduling.js'

test('2.1, 2.2: strategies in the contract’s shape, without the envelope; pause is never meant', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = {
    [POD_A]: [running(9, 'pause'), running(10, 'nginx'), running(11, 'sh')],
    [POD_B]: [running(20, 'nginx')],
  }
  const { status } = await scheduler.put(1, [
    intent({ commandRegex: 'ngi', podLabels: { tier: 'front', app: 'web', 'a.b/c': '' } }),
  ])
  assert.equal(status, 200)
  const { text, headers } = await scheduler.agent
    .get('/api/v1/scheduling/strategies')
    .set('authorization', await scheduler.asSchedExt())
    .expect(200)
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(
    text,
    '{"success":true,"message":"Scheduling intents retrieved successfully","timestamp":"2027-01-15T08:00:00Z","scheduling":[' +
      '{"priority":5,"execution_time":20000000,"pid":10,"selectors":[{"key":"a.b/c","value":""},{"key":"app","value":"web"},{"key":"tier","value":"front"}],"command_regex":"ngi"}]}\n',
  )
})

test('an intent without an expression means every process; what is optional and empty is left out', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = { [POD_A]: [running(9, 'pause'), running(10, ''), running(11, 'a b')] }
  await scheduler.put(1, [intent()])
  assert.deepEqual(await scheduler.strategies(), [
    { priority: 5, execution_time: 20_000_000, pid: 10 },
    { priority: 5, execution_time: 20_000_000, pid: 11 },
  ])
})

test('D8: of two intents for one process the lower number wins, then the newest; each process is there once', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = { [POD_A]: [running(10, 'nginx'), running(11, 'sh'), running(12, 'node')] }
  await scheduler.put(1, [
    intent({ commandRegex: '.*', priority: 9, executionTime: 1_000_001 }),
    intent({ commandRegex: 'nginx|sh', priority: 3, executionTime: 1_000_002 }),
    intent({ commandRegex: 'sh', priority: 3, executionTime: 1_000_003 }),
    intent({ commandRegex: 'nginx', priority: 4, executionTime: 1_000_004 }),
  ])
  const seen = (await scheduler.strategies()).map(({ pid, execution_time }) => [pid, execution_time])
  assert.deepEqual(seen, [
    [12, 1_000_001],
    [10, 1_000_002],
    [11, 1_000_003],
  ])
})

test('D7: no line of the log names a process', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = { [POD_A]: [running(10, 'very-secret-name')] }
  await scheduler.put(1, [intent()])
  assert.equal((await scheduler.strategies()).length, 1)
  assert.ok(scheduler.lines.length > 0)
  assert.ok(!scheduler.lines.some((line) => line.includes('very-secret-name')))
})

test('D4: many who ask at once get one answer, while sets come and go', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = { [POD_A]: [running(10, 'nginx')] }
  const authorization = await scheduler.asSchedExt()
  const priorities = new Set<number>()
  await Promise.all(
    Array.from({ length: 40 }, async (_, at) => {
      if (at % 4 === 0) await scheduler.put(at + 1, [intent({ priority: 7 }), intent({ podID: POD_B })])
      else {
        const { body } = await scheduler.agent
          .get('/api/v1/scheduling/strategies')
          .set('authorization', authorization)
          .expect(200)
        assert.ok(body.scheduling.length <= 1)
        for (const { priority } of body.scheduling) priorities.add(priority)
      }
    }),
  )
  assert.ok([...priorities].every((priority) => priority === 7))
})

test('2.1: a node whose processes cannot be read says so, in the contract’s words, and is not ready', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = new Error('EACCES: /host/proc')
  const { agent } = scheduler
  const strategies = await agent
    .get('/api/v1/scheduling/strategies')
    .set('authorization', await scheduler.asSchedExt())
    .expect(500)
  assert.equal(strategies.body.error, 'Failed to list scheduling intents')
  const pids = await agent
    .get('/api/v1/pods/pids')
    .set('authorization', await scheduler.asManager())
    .expect(500)
  assert.equal(pids.body.error, 'Failed to read the processes of this node')
  assert.doesNotMatch(strategies.text + pids.text, /host\/proc/)
  assert.ok(scheduler.lines.some((line) => line.includes('EACCES: /host/proc')))
  await agent
    .delete('/api/v1/intents')
    .set('authorization', await scheduler.asManager())
    .send({ podId: POD_A, pid: 1 })
    .expect(500)
})

test('selectors beyond the bound are left out, and every process is still named', () => {
  const selectors = `[{"key":"k","value":"${'v'.repeat(1_000_000)}"}]`
  const by = { intent: intent(), selectors }
  const scheduled = Array.from({ length: 100 }, (_, at) => ({ pid: at + 1, by }))
  const json = schedulingJson(scheduled)
  assert.ok(json.length < MAX_SELECTORS + 100_000)
  const read = JSON.parse(json) as readonly { readonly pid: number; readonly selectors?: unknown }[]
  assert.equal(read.length, 100)
  assert.equal(read.filter((one) => one.selectors !== undefined).length, 8)
})

test('many expressions over many processes of one pod: others are answered in between', async () => {
  const intents = Array.from({ length: 400 }, (_, at): ReadyIntent => {
    const commandRegex = `(a|b|c)*z${at}[^q]{0,9}y`
    const regex = readCommandRegex(commandRegex)
    assert.ok(typeof regex !== 'string')
    return { intent: intent({ commandRegex }), regex, selectors: '' }
  })
  const processes = Array.from({ length: 1_500 }, (_, at) => running(at + 1, `abcabcabc${at}`))
  let turns = 0
  let over = false
  const others = async (): Promise<void> => {
    for (; !over; turns++) await setImmediate()
  }
  const waiting = others()
  const found = await schedule(
    { version: 1, rootHash: '', intents, without: new Map() },
    { at: 0, denied: 0, pods: new Map([[POD_A, processes]]) },
  )
  over = true
  await waiting
  assert.deepEqual(found, [])
  assert.ok(turns >= 5, `others had ${turns} turns`)
})
