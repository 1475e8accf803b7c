import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { managerTo, schedExtOf, schedulerOf, signStatement } from '@bulkhead/intents'
import { decodeJwt } from 'jose'
import { intent, managerKey, NODE, schedulerKey, startScheduler, type TestScheduler } from '../testing/scheduler.js'
import { ASSERTION_TYPE } from './routes.js'
import { createTokens, TOKEN_SECONDS } from './tokens.js'

const metrics = Object.fromEntries(
  'usersched_last_run_at nr_queued nr_scheduled nr_running nr_online_cpus nr_user_dispatches nr_kernel_dispatches nr_cancel_dispatches nr_bounce_dispatches nr_failed_dispatches nr_sched_congested'
    .split(' ')
    .map((name) => [name, 1]),
)

/** Every route that is not for anybody, with a body that it takes. */
const guarded = [
  ['PUT', '/api/v1/intents', 'manager', { version: 1, intents: [intent()] }],
  ['DELETE', '/api/v1/intents', 'manager', { all: true }],
  ['GET', '/api/v1/intents/merkle', 'manager', undefined],
  ['GET', '/api/v1/pods/pids', 'manager', undefined],
  ['GET', '/api/v1/scheduling/strategies', 'sched-ext', undefined],
  ['POST', '/api/v1/metrics', 'sched-ext', metrics],
] as const

const ask = ({ agent }: TestScheduler, [method, path, , body]: (typeof guarded)[number], authorization?: string) => {
  const request =
    method === 'GET'
      ? agent.get(path)
      : method === 'PUT'
        ? agent.put(path)
        : method === 'POST'
          ? agent.post(path)
          : agent.delete(path)
  if (authorization !== undefined) request.set('authorization', authorization)
  return body === undefined ? request : request.send(body)
}

test('the list above has every route that is not for anybody', (t) => {
  const { routes } = startScheduler(t)
  assert.deepEqual(
    routes
      .filter(({ caller }) => caller !== 'anybody')
      .map(({ method, path, caller }) => [method, path, caller])
      .sort(),
    guarded.map(([method, path, caller]) => [method, path, caller]).sort(),
  )
})

test('2.1: each route takes its own caller, refuses the other with 403, and nobody and anybody else with 401', async (t) => {
  const scheduler = startScheduler(t)
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const { now } = scheduler
  const bearer = {
    manager: await scheduler.asManager(),
    'sched-ext': await scheduler.asSchedExt(),
  }
  const refused = [
    // Of another node, of another key, of what another thing is said with.
    await scheduler.asManager('node-2'),
    `Bearer ${await signStatement(other, managerTo(NODE), now)}`,
    `Bearer ${await signStatement(schedulerKey, managerTo(NODE), now)}`,
    `Bearer ${await signStatement(schedulerKey, schedulerOf(NODE), now)}`,
    `Bearer ${await signStatement(schedulerKey, schedExtOf(NODE), now)}`,
    `Bearer ${await signStatement(managerKey, { ...managerTo(NODE), issuer: 'decision-maker-service', subject: 'sched-ext' }, now)}`,
    `Bearer ${await signStatement(schedulerKey, { ...schedExtOf('node-2'), issuer: 'decision-maker-service' }, now, TOKEN_SECONDS)}`,
    `Bearer ${await signStatement(managerKey, managerTo(NODE), now - 400_000)}`,
    // A user of the manager: signed with the same key (M20).
    `Bearer ${await signStatement(managerKey, { issuer: 'bss-api-server', subject: '0123456789abcdef01234567', audience: 'manager' }, now)}`,
    'Bearer e30.e30.e30',
    'Bearer null',
    `Bearer ${createPublicKey(schedulerKey).export({ type: 'spki', format: 'pem' }).toString().replaceAll('\n', '')}`,
  ]
  for (const route of guarded) {
    const [, path, caller] = route
    const mine = await ask(scheduler, route, bearer[caller])
    assert.equal(mine.status, 200, path)
    const theirs = await ask(scheduler, route, bearer[caller === 'manager' ? 'sched-ext' : 'manager'])
    assert.deepEqual([theirs.status, theirs.body.code], [403, 'CALLER_REFUSED'], path)
    for (const authorization of refused) {
      const { status, body, headers } = await ask(scheduler, route, authorization)
      assert.deepEqual([status, body.code], [401, 'TOKEN_INVALID'], `${path} ${authorization}`)
      assert.match(body.error, /^Invalid or expired token: ./)
      assert.equal(headers['www-authenticate'], 'Bearer')
    }
    for (const [authorization, error] of [
      [undefined, 'Authorization header is required'],
      ['', 'Authorization header is required'],
      ['Basic eDp5', "Authorization header must start with 'Bearer '"],
      ['bearer x', "Authorization header must start with 'Bearer '"],
      ['Bearer ', "Authorization header must start with 'Bearer '"],
    ] as const) {
      const { status, body } = await ask(scheduler, route, authorization)
      assert.deepEqual([status, body.error], [401, error])
    }
  }
})

test('who may not call has no body read, and learns nothing of what it should be', async (t) => {
  const { agent, asSchedExt } = startScheduler(t)
  await agent.put('/api/v1/intents').send('{').expect(401)
  await agent
    .put('/api/v1/intents')
    .set('authorization', await asSchedExt())
    .send('{')
    .expect(403)
})

test('2.1, RFC 7523: an assertion that the pod’s key has signed gets a token, once, for this node and ten minutes', async (t) => {
  const scheduler = startScheduler(t)
  const { agent } = scheduler
  const sign = (key = schedulerKey, said = schedExtOf(NODE), now = scheduler.now) => signStatement(key, said, now)
  const post = (body: object) => agent.post('/api/v1/auth/token').send(body)
  const assertion = await sign()
  const { body } = await post({
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: assertion,
    expired_at: 7,
  }).expect(200)
  assert.equal(body.data.expired_at, scheduler.now / 1000 + TOKEN_SECONDS)
  const { iss, sub, aud, exp } = decodeJwt(body.data.token)
  assert.deepEqual(
    [iss, sub, aud, exp],
    ['decision-maker-service', 'sched-ext', `scheduler:${NODE}`, body.data.expired_at],
  )

  const again = await post({ client_assertion: assertion })
  assert.deepEqual([again.status, again.body.error], [401, 'The client assertion was shown before.'])
  for (const refused of [
    await sign(managerKey),
    await sign(schedulerKey, schedExtOf('node-2')),
    await sign(schedulerKey, schedulerOf(NODE)),
    await sign(schedulerKey, managerTo(NODE)),
    await sign(schedulerKey, schedExtOf(NODE), scheduler.now - 400_000),
    body.data.token,
    'x',
  ]) {
    const { status, body: said } = await post({ client_assertion: refused })
    assert.deepEqual([status, said.code], [401, 'ASSERTION_REFUSED'])
  }

  const strategies = () => agent.get('/api/v1/scheduling/strategies').set('authorization', `Bearer ${body.data.token}`)
  await strategies().expect(200)
  scheduler.now += (TOKEN_SECONDS + 31) * 1000
  const { body: expired } = await strategies().expect(401)
  assert.equal(expired.error, 'Invalid or expired token: "exp" claim timestamp check failed')
  const late = await post({ client_assertion: assertion })
  assert.equal(late.status, 401, 'it is forgotten only once it has ended')
})

test('2.1: the public key, which everybody may know, is no credential', async (t) => {
  const { agent } = startScheduler(t)
  const publicKey = createPublicKey(schedulerKey).export({ type: 'spki', format: 'pem' })
  const { body } = await agent
    .post('/api/v1/auth/token')
    .send({ public_key: publicKey, client_id: 'sched', expired_at: 0 })
    .expect(401)
  assert.equal(body.code, 'PUBLIC_KEY_REFUSED')
  assert.match(body.error, /^Public key verification failed/)
})

test('2.1: what is no request for a token is a 400 in the contract’s words', async (t) => {
  const { agent } = startScheduler(t)
  for (const body of [
    '{}',
    '',
    '[]',
    'null',
    '"x"',
    '{"client_assertion":7}',
    '{"client_assertion":""}',
    `{"client_assertion":"${'x'.repeat(9_000)}"}`,
    '{"client_assertion":"x","client_assertion_type":"password"}',
  ]) {
    const { body: said } = await agent
      .post('/api/v1/auth/token')
      .set('content-type', 'application/json')
      .send(body)
      .expect(400)
    assert.match(said.error, /^Invalid request payload/)
  }
})

test('more assertions than anybody who means well has are held off, and those that have ended make room', async () => {
  let now = 1_000_000_000_000
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const tokens = createTokens(NODE, privateKey, () => now, 3)
  const grant = async () => tokens.grant(await signStatement(privateKey, schedExtOf(NODE), now))
  for (let time = 0; time < 3; time++) await grant()
  await assert.rejects(grant(), { code: 'TOO_MANY_REQUESTS' })
  now += 400_000
  await grant()
})
