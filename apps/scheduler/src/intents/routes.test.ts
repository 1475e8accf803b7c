import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_ROOT, MAX_EXPRESSIONS, merkleRoot } from '@bulkhead/intents'
import { intent, NODE, POD_A, POD_B, running, startScheduler } from '../testing/scheduler.js'

const one = intent()
const two = intent({ podID: POD_B, podName: 'web-2' })

test('D1: a PUT is all of the node’s set; it replaces, and says what is in force', async (t) => {
  const scheduler = startScheduler(t)
  const { status, body, headers } = await scheduler.put(7, [one, two])
  assert.equal(status, 200)
  assert.deepEqual(body, {
    success: true,
    data: { version: 7, rootHash: merkleRoot([one, two]), intents: 2 },
    timestamp: '2027-01-15T08:00:00Z',
  })
  assert.equal(headers['cache-control'], 'no-store')
  const { body: next } = await scheduler.put(8, [two])
  assert.deepEqual(next.data, { version: 8, rootHash: merkleRoot([two]), intents: 1 })
  const merkle = await scheduler.agent.get('/api/v1/intents/merkle').set('authorization', await scheduler.asManager())
  assert.deepEqual(merkle.body.data, { rootHash: merkleRoot([two]) })
})

test('D1: the original’s POST, which overwrote whatever came last, is there no more', async (t) => {
  const { agent, asManager } = startScheduler(t)
  const { headers } = await agent
    .post('/api/v1/intents')
    .set('authorization', await asManager())
    .expect(405)
  assert.equal(headers.allow, 'DELETE, PUT')
})

test('D1: an older set is 409 and changes nothing; the same one is taken again; another one of its version is 409', async (t) => {
  const scheduler = startScheduler(t)
  await scheduler.put(7, [one, two])
  const older = await scheduler.put(6, [one])
  assert.deepEqual([older.status, older.body.code], [409, 'VERSION_PASSED'])
  assert.equal(older.body.error, 'A later set is in force: it has version 7, and this one 6.')
  const again = await scheduler.put(7, [one, two])
  assert.deepEqual([again.status, again.body.data.intents], [200, 2])
  for (const other of [[one], [two, one], [one, two, two], [one, { ...two, priority: 6 }], []]) {
    const { status, body } = await scheduler.put(7, other)
    assert.deepEqual([status, body.code], [409, 'VERSION_TAKEN'])
  }
  const merkle = await scheduler.agent.get('/api/v1/intents/merkle').set('authorization', await scheduler.asManager())
  assert.equal(merkle.body.data.rootHash, merkleRoot([one, two]))
})

test('D1, D4: of sets that come at once the latest is in force, whichever comes first', async (t) => {
  const scheduler = startScheduler(t)
  const versions = [3, 9, 1, 7, 8, 2]
  await Promise.all(
    versions.map((version) => scheduler.put(version, [intent({ priority: version, commandRegex: `r${version}` })])),
  )
  const { body } = await scheduler.agent.get('/api/v1/intents/merkle').set('authorization', await scheduler.asManager())
  assert.equal(body.data.rootHash, merkleRoot([intent({ priority: 9, commandRegex: 'r9' })]))
})

test('D2: DELETE deletes, by the contract’s three bodies, and the root says so', async (t) => {
  const scheduler = startScheduler(t)
  const { agent, asManager } = scheduler
  scheduler.processes = { [POD_A]: [running(10, 'nginx'), running(11, 'sh')], [POD_B]: [running(20, 'node')] }
  const remove = async (body: object) =>
    agent
      .delete('/api/v1/intents')
      .set('authorization', await asManager())
      .send(body)
  const root = async (): Promise<string> =>
    (await agent.get('/api/v1/intents/merkle').set('authorization', await asManager())).body.data.rootHash
  const pids = async () => (await scheduler.strategies()).map(({ pid }) => pid)

  await scheduler.put(1, [one, two])
  assert.deepEqual(await pids(), [10, 11, 20])
  const { status, body } = await remove({ podId: POD_A, pid: 11 })
  assert.deepEqual([status, Object.keys(body)], [200, ['success', 'timestamp']])
  assert.deepEqual(await pids(), [10, 20])
  assert.equal(await root(), merkleRoot([one, two]), 'the intent is there, for the pod’s other processes')

  assert.equal((await remove({ podId: POD_A })).status, 200)
  assert.deepEqual(await pids(), [20])
  assert.equal(await root(), merkleRoot([two]))
  assert.equal((await remove({ podId: 'nobody' })).status, 200)
  assert.equal((await remove({ podId: POD_B, pid: 4242 })).status, 200)
  assert.equal((await remove({ all: true, podId: POD_B })).status, 200)
  assert.deepEqual(await pids(), [])
  assert.equal(await root(), EMPTY_ROOT)

  const late = await scheduler.put(1, [one, two])
  assert.equal(late.status, 409, 'what is repeated late does not bring back what was deleted')
  await scheduler.put(2, [one, two])
  assert.deepEqual(await pids(), [10, 11, 20])
})

test('D2: a process that was taken out is not another one that has its number later', async (t) => {
  const scheduler = startScheduler(t)
  scheduler.processes = { [POD_A]: [running(10, 'nginx')] }
  await scheduler.put(1, [one])
  await scheduler.agent
    .delete('/api/v1/intents')
    .set('authorization', await scheduler.asManager())
    .send({ podId: POD_A, pid: 10 })
    .expect(200)
  assert.deepEqual(await scheduler.strategies(), [])
  scheduler.processes = { [POD_A]: [running(10, 'nginx', { startTime: 'later' })] }
  assert.equal((await scheduler.strategies()).length, 1)
})

test('2.1: a DELETE that names nothing is a 400 in the contract’s words, as is one of wrong types', async (t) => {
  const { agent, asManager } = startScheduler(t)
  const authorization = await asManager()
  for (const [body, error] of [
    [{}, "PodID is required when 'all' is false"],
    [{ all: false }, "PodID is required when 'all' is false"],
    [{ podId: '' }, "PodID is required when 'all' is false"],
    [{ podID: 'x' }, "PodID is required when 'all' is false"],
    [{ all: 'true' }, 'Invalid request payload: all: Invalid input: expected boolean, received string'],
    [{ podId: 7 }, 'Invalid request payload: podId: Invalid input: expected string, received number'],
    [{ podId: 'x', pid: -1 }, 'Invalid request payload: pid: Too small: expected number to be >=1'],
  ] as const) {
    const { status, body: said } = await agent.delete('/api/v1/intents').set('authorization', authorization).send(body)
    assert.deepEqual([status, said.error], [400, error])
  }
  await agent.delete('/api/v1/intents').set('authorization', authorization).expect(400)
})

test('D3: an expression that is none is 422, with its place and why, and what was in force stays', async (t) => {
  const scheduler = startScheduler(t)
  await scheduler.put(1, [one])
  const { status, body } = await scheduler.put(2, [
    one,
    intent({ commandRegex: '(a' }),
    intent({ commandRegex: '(?=a)' }),
  ])
  assert.deepEqual([status, body.code], [422, 'SET_INVALID'])
  assert.match(
    body.error,
    /^The set has intents that are not valid: intents\[1\]\.commandRegex: is no RE2 expression \(missing closing \)/,
  )
  assert.deepEqual(
    body.fields.map(({ field }: { field: string }) => field),
    ['intents[1].commandRegex', 'intents[2].commandRegex'],
  )
  const merkle = await scheduler.agent.get('/api/v1/intents/merkle').set('authorization', await scheduler.asManager())
  assert.equal(merkle.body.data.rootHash, merkleRoot([one]))
  scheduler.processes = { [POD_A]: [running(10, 'nginx')] }
  assert.equal((await scheduler.strategies()).length, 1, 'and nothing panics later')
})

test('D3: more expressions than a scheduler keeps are 422', async (t) => {
  const scheduler = startScheduler(t)
  const many = (count: number) => Array.from({ length: count }, (_, at) => intent({ commandRegex: `^p${at}$` }))
  assert.equal((await scheduler.put(1, many(MAX_EXPRESSIONS))).status, 200)
  const { status, body } = await scheduler.put(2, many(MAX_EXPRESSIONS + 1))
  assert.deepEqual([status, body.fields[0].field], [422, 'intents'])
})

test('D5: a time slice that is negative, or no whole number, or too long, is 422', async (t) => {
  const scheduler = startScheduler(t)
  for (const executionTime of [-1, 0, 1.5, 999_999, 1_000_000_001]) {
    const { status, body } = await scheduler.put(1, [intent({ executionTime })])
    assert.deepEqual([status, body.fields?.[0]?.field], [executionTime === 1.5 ? 400 : 422, 'intents[0].executionTime'])
  }
})

test('D8: an intent of another node is 422, and names both', async (t) => {
  const scheduler = startScheduler(t)
  const { status, body } = await scheduler.put(1, [one, intent({ nodeID: 'node-2' })])
  assert.equal(status, 422)
  assert.deepEqual(body.fields, [
    { field: 'intents[1].nodeID', message: `is node-2, and this is the scheduler of ${NODE}` },
  ])
})
