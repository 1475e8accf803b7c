import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { sharedManager, startManager } from '../testing/index.js'
import { serviceOf } from '../testing/service-of.js'
import { argon } from './passwords.js'
import { loginPace, Throttle } from './throttle.js'
import { WorkQueue } from './work-queue.js'

const LOGIN = '/api/v1/auth/login'

const manager = sharedManager()

test('1.6 POST /auth/login: 200 with a token that works', async () => {
  const m = await manager()
  const { username, password } = m.admin
  const response = await m.agent.post(LOGIN).send({ username, password }).expect(200)
  assert.deepEqual(Object.keys(response.body), ['success', 'data', 'timestamp'])
  assert.deepEqual(Object.keys(response.body.data), ['token'])
  assert.equal(response.headers['cache-control'], 'no-store')
  const claims = decodeJwt(response.body.data.token)
  assert.equal(claims.uid, m.admin.id.toHexString())
  assert.equal(claims.needChangePassword, false)
  assert.equal(Number(claims.exp) - Number(claims.iat), 10_800)
  await m.agent.get('/api/v1/users').set('authorization', `Bearer ${response.body.data.token}`).expect(200)
  const must = await m.user({ status: 3 })
  const other = await m.agent.post(LOGIN).send({ username: must.username, password: must.password }).expect(200)
  assert.equal(decodeJwt(other.body.data.token).needChangePassword, true)
})

test('1.6 POST /auth/login: 400 for what is no JSON or has other types, operators among them', async () => {
  const m = await manager()
  const { username, password } = m.admin
  for (const body of [
    '{',
    JSON.stringify([username, password]),
    JSON.stringify({ username: { $ne: '' }, password }),
    JSON.stringify({ username, password: { $gt: '' } }),
    JSON.stringify({ username: [username], password }),
    JSON.stringify({ username: 7, password }),
    JSON.stringify({ username: true, password: 1 }),
  ]) {
    const response = await m.agent.post(LOGIN).send(body).expect(400)
    assert.equal(response.body.error, 'Invalid request body', body)
  }
})

test('1.6 POST /auth/login: 422 when one of the two is missing or empty', async () => {
  const m = await manager()
  for (const [body, field] of [
    [{}, 'username'],
    [{ username: 'a' }, 'password'],
    [{ password: 'a' }, 'username'],
    [{ username: '', password: 'a' }, 'username'],
    [{ username: 'a', password: '' }, 'password'],
    [{ username: null, password: 'a' }, 'username'],
  ] as const) {
    const response = await m.agent.post(LOGIN).send(body).expect(422)
    assert.equal(response.body.error, 'Username and password are required')
    assert.equal(response.body.fields[0].field, field)
  }
  const long = await m.agent
    .post(LOGIN)
    .send({ username: 'x'.repeat(10_000), password: 'y' })
    .expect(422)
  assert.equal(long.body.fields[0].field, 'username')
})

test('M5 an unknown name, a wrong password and an inactive user are answered alike, after the same work', async () => {
  const m = await manager()
  const inactive = await m.user({ status: 2 })
  const compared: string[] = []
  const agent = serviceOf(m, {
    argon: {
      hash: argon.hash,
      verify: (phc, password) => {
        compared.push(phc.slice(0, phc.indexOf('p=2') + 3))
        return argon.verify(phc, password)
      },
    },
  })
  const answers = []
  for (const body of [
    { username: 'nobody', password: 'whatever it is' },
    { username: m.admin.username, password: 'whatever it is' },
    { username: inactive.username, password: inactive.password },
    { username: '$where', password: 'whatever it is' },
  ]) {
    const { status, text, headers } = await agent.post(LOGIN).set('x-request-id', 'same').send(body)
    answers.push({ status, text, type: headers['content-type'], names: Object.keys(headers).sort() })
  }
  assert.equal(answers[0]?.status, 401)
  assert.match(answers[0]?.text ?? '', /"error":"invalid username or password"/)
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  assert.deepEqual(compared, Array(4).fill('$argon2id$v=19$m=16384,t=3,p=2'))
})

test('M5 guessing is slowed with 429 and Retry-After, for names that are not there, too; the owner is not locked out', async () => {
  const m = await manager()
  let clock = Date.now()
  const agent = serviceOf(m, { throttle: new Throttle(loginPace, () => clock) })
  const { username, password, token } = m.admin
  for (const name of [username, 'nobody']) {
    for (let free = 0; free < 5; free++)
      await agent.post(LOGIN).send({ username: name, password: 'a guess' }).expect(401)
    const held = await agent.post(LOGIN).send({ username: name, password: 'a guess' }).expect(429)
    assert.equal(held.headers['retry-after'], '1')
    assert.equal(held.body.success, false)
    assert.equal(held.body.code, 'TOO_MANY_ATTEMPTS')
  }
  await agent.post(LOGIN).send({ username, password }).expect(429)
  const withToken = agent.post(LOGIN).set('authorization', `Bearer ${token}`)
  await withToken.send({ username, password }).expect(200)
  const withOthers = agent.post(LOGIN).set('authorization', `Bearer ${(await m.user()).token}`)
  await withOthers.send({ username, password }).expect(429)
  clock += 1_000
  await agent.post(LOGIN).send({ username, password }).expect(200)
  await agent.post(LOGIN).send({ username, password }).expect(200)
})

test('M5 sixty guesses at once: five are compared, and the owner with a token of before is let in among them', async () => {
  const m = await manager()
  const { username, password, token } = m.admin
  const guesses: string[] = []
  const agent = serviceOf(m, {
    throttle: new Throttle(loginPace, () => 0),
    argon: {
      hash: argon.hash,
      verify: (phc, given) => {
        if (given !== password) guesses.push(given)
        return argon.verify(phc, given)
      },
    },
  })
  const attack = Array.from({ length: 60 }, (_, guess) =>
    agent
      .post(LOGIN)
      .send({ username, password: `guess ${guess}` })
      .then((answer) => answer.status),
  )
  await agent.post(LOGIN).set('authorization', `Bearer ${token}`).send({ username, password }).expect(200)
  const statuses = await Promise.all(attack)
  assert.equal(guesses.length, 5)
  assert.deepEqual([...new Set(statuses)].sort(), [401, 429])
  assert.equal(statuses.filter((status) => status === 401).length, 5)
})

test('more logins than can be worked on are 503 with Retry-After; other requests go on', async () => {
  const m = await manager()
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const agent = serviceOf(m, {
    queue: new WorkQueue({ concurrency: 1, maxWaiting: 1, maxWaitingOfOne: 1, maxWaitMs: 5_000 }),
    argon: {
      hash: argon.hash,
      verify: async (phc, password) => {
        await held
        return argon.verify(phc, password)
      },
    },
  })
  const { username, password } = m.admin
  const sent = Array.from({ length: 4 }, () =>
    agent
      .post(LOGIN)
      .send({ username, password })
      .then((answer) => answer),
  )
  const early = await Promise.race(sent)
  assert.equal(early.status, 503)
  assert.equal(early.headers['retry-after'], '2')
  await agent.get('/api/v1/users').set('authorization', `Bearer ${m.admin.token}`).expect(200)
  release()
  const statuses = (await Promise.all(sent)).map(({ status }) => status).sort()
  assert.deepEqual(statuses, [200, 200, 503, 503])
})

test('1.14 logins are in the audit log, with the account that they were tried at, and nothing that was typed; those that were held off are not', async (t) => {
  const m = await startManager(t)
  const { username, password } = m.admin
  await m.agent.post(LOGIN).set('x-request-id', 'ok').send({ username, password }).expect(200)
  for (let guess = 0; guess < 5; guess++)
    await m.agent.post(LOGIN).set('x-request-id', `guess-${guess}`).send({ username, password: 'a guess' }).expect(401)
  await m.agent.post(LOGIN).set('x-request-id', 'held').send({ username, password: 'a guess' }).expect(429)
  await m.agent.post(LOGIN).set('x-request-id', 'nobody').send({ username: 'my password?', password: 'x' }).expect(401)
  const entries = await m.store.audit.find({ action: 'auth.login' }, { sort: { _id: 1 } }).toArray()
  const target = `users/${m.admin.id.toHexString()}`
  assert.deepEqual(
    entries.map(({ requestID, outcome, code, target, username, userID }) => ({
      ...{ requestID, outcome, code, target, username },
      userID: userID?.toHexString(),
    })),
    [
      { requestID: 'ok', outcome: 'ok', code: undefined, target, username, userID: m.admin.id.toHexString() },
      ...Array.from({ length: 5 }, (_, guess) => ({
        requestID: `guess-${guess}`,
        outcome: 'refused',
        code: 'LOGIN_FAILED',
        target,
        username,
        userID: undefined,
      })),
      {
        requestID: 'nobody',
        outcome: 'refused',
        code: 'LOGIN_FAILED',
        target: undefined,
        username: undefined,
        userID: undefined,
      },
    ],
  )
  assert.doesNotMatch(JSON.stringify(entries) + m.lines.join(''), /my password\?|a guess/)
})
