import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedManager } from '../testing/index.js'
import { serviceOf } from '../testing/service-of.js'
import { type Argon, argon } from './passwords.js'
import { loginPace, Throttle } from './throttle.js'
import { WorkQueue } from './work-queue.js'

const LOGIN = '/api/v1/auth/login'

/** The tests ask from the loopback: it is the proxy, or a stranger who says that he is one. */
const proxies = { from: ['127.0.0.0/8', '::1'], hops: 1 }

const manager = sharedManager()

/** Argon2, and how many guesses were compared since `count` was asked last. */
function counting(password: string): { readonly argon: Argon; count(): number } {
  let guesses = 0
  return {
    argon: {
      hash: argon.hash,
      verify: (phc, given) => {
        if (given !== password) guesses++
        return argon.verify(phc, given)
      },
    },
    count: () => {
      const counted = guesses
      guesses = 0
      return counted
    },
  }
}

let addresses = 0
/** One that nobody has come from. */
const newAddress = (): string => {
  addresses++
  return `198.18.${addresses >> 8}.${addresses & 0xff}`
}

test('the audit log has the address that a trusted proxy says; from anybody else that header is nothing', async () => {
  const m = await manager()
  const bob = await m.user()
  const cases = [
    { proxies, said: '198.51.100.7', is: '198.51.100.7' },
    { proxies, said: '203.0.113.1, 198.51.100.7', is: '198.51.100.7' },
    { proxies, said: '198.51.100.7, 127.0.0.1', is: '127.0.0.1' },
    { proxies, said: 'unknown', is: '127.0.0.1' },
    { proxies: { from: ['10.244.0.0/16'], hops: 1 }, said: '198.51.100.7', is: '127.0.0.1' },
    { proxies: { from: ['10.244.0.0/16'], hops: 1 }, said: '10.244.1.80', is: '127.0.0.1' },
    { proxies: { from: [], hops: 1 }, said: '198.51.100.7', is: '127.0.0.1' },
  ]
  for (const [index, { proxies, said, is }] of cases.entries()) {
    const requestID = `address-${index}`
    const asked = serviceOf(m, { proxies }).post(LOGIN).set('x-request-id', requestID).set('x-forwarded-for', said)
    await asked.send({ username: bob.username, password: bob.password }).expect(200)
    assert.equal((await m.store.audit.findOne({ requestID }))?.ip, is, said)
  }
})

test('guesses from ever new addresses are 46 in the first minute and 15 in each after it; the owner logs in all the while', async () => {
  const m = await manager()
  const ann = await m.user()
  const { username, password } = ann
  let clock = Date.now()
  const guessed = counting(password)
  const throttle = new Throttle({ ...loginPace, maxEntries: 40 }, () => clock)
  const agent = serviceOf(m, { proxies, throttle, argon: guessed.argon })
  const enter = (ip: string, given: string, token?: string) => {
    const asked = agent.post(LOGIN).set('x-forwarded-for', ip)
    if (token !== undefined) asked.set('authorization', `Bearer ${token}`)
    return asked.send({ username, password: given })
  }
  await enter('203.0.113.1', password).expect(200)

  const compared: number[] = []
  for (let minute = 0; minute < 3; minute++) {
    for (let second = 0; second < 60; second++) {
      const flood = minute === 0 && second === 0 ? 40 : 2
      await Promise.all(Array.from({ length: flood }, () => enter(newAddress(), 'a guess')))
      clock += 1_000
    }
    compared.push(guessed.count())
    await enter(newAddress(), 'a guess')
    await enter(newAddress(), password).expect(429)
    await enter('203.0.113.1', password).expect(200)
    await enter(newAddress(), password, ann.token).expect(200)
    guessed.count()
  }
  assert.ok(compared[0] !== undefined && compared[0] >= 30 && compared[0] <= 46, `${compared}`)
  for (const each of compared.slice(1)) assert.ok(each >= 10 && each <= 15, `${compared}`)

  // Held is the account, not everybody: another one is free to log in from a new address.
  const bob = await m.user()
  const other = agent.post(LOGIN).set('x-forwarded-for', newAddress())
  await other.send({ username: bob.username, password: bob.password }).expect(200)
})

test("who says that he is at the owner's address has five guesses and then 4 in a minute, and the owner's token is let in", async () => {
  const m = await manager()
  const { username, password, token } = await m.user()
  let clock = Date.now()
  const guessed = counting(password)
  const agent = serviceOf(m, { proxies, throttle: new Throttle(loginPace, () => clock), argon: guessed.argon })
  const enter = (given: string) =>
    agent.post(LOGIN).set('x-forwarded-for', '203.0.113.1').send({ username, password: given })
  await enter(password).expect(200)
  for (let second = 0; second < 60; second++, clock += 1_000) await enter('a guess')
  assert.ok(guessed.count() <= 5 + 7)
  for (let second = 0; second < 60; second++, clock += 1_000) await enter('a guess')
  assert.ok(guessed.count() <= 4)
  await enter(password).set('authorization', `Bearer ${token}`).expect(200)
})

test('a token of before is one device, in whatever spelling it is sent', async () => {
  const m = await manager()
  const { username, password, token } = await m.user()
  const guessed = counting(password)
  const agent = serviceOf(m, { proxies, throttle: new Throttle(loginPace, () => 0), argon: guessed.argon })
  const [signed, signature] = [token.slice(0, token.lastIndexOf('.')), token.slice(token.lastIndexOf('.') + 1)]
  const spellings = Array.from(
    { length: 30 },
    (_, at) => `${signed}.${signature.slice(0, at + 1)} ${signature.slice(at + 1)}`,
  )
  const statuses: number[] = []
  for (const spelling of spellings) {
    const asked = agent.post(LOGIN).set('x-forwarded-for', newAddress()).set('authorization', `Bearer ${spelling}`)
    statuses.push((await asked.send({ username, password: 'a guess' })).status)
  }
  assert.equal(guessed.count(), 5)
  assert.deepEqual(statuses, [...Array(5).fill(401), ...Array(25).fill(429)])
})

test('a flood from many addresses takes no place of who was let in before', async () => {
  const m = await manager()
  const { username, password } = await m.user()
  let release = (): void => {}
  let held: Promise<void> | undefined
  const queue = new WorkQueue({ concurrency: 1, maxWaiting: 4, maxWaitingOfOne: 2, reserved: 2, maxWaitMs: 10_000 })
  const agent = serviceOf(m, {
    proxies,
    queue,
    argon: {
      hash: argon.hash,
      verify: async (phc, given) => {
        await held
        return argon.verify(phc, given)
      },
    },
  })
  const enter = (ip: string, name: string) =>
    agent
      .post(LOGIN)
      .set('x-forwarded-for', ip)
      .send({ username: name, password })
      .then(({ status }) => status)
  assert.equal(await enter('203.0.113.1', username), 200)
  held = new Promise((resolve) => {
    release = resolve
  })
  const flood = Array.from({ length: 20 }, (_, guess) => enter(newAddress(), `nobody-${guess}`))
  // One at work and four waiting are all that there is room for.
  const refused: number[] = []
  await new Promise<void>((resolve) => {
    for (const one of flood)
      one.then((status) => {
        refused.push(status)
        if (refused.length === 15) resolve()
      })
  })
  assert.deepEqual([...new Set(refused)], [503])
  assert.equal(await enter(newAddress(), username), 503, 'a stranger with the right password')
  const owner = enter('203.0.113.1', username)
  const answered = owner.then(() => true)
  while (queue.waiting < 5 && !(await Promise.race([answered, new Promise(setImmediate)])));
  release()
  assert.equal(await owner, 200)
  assert.deepEqual(
    (await Promise.all(flood)).filter((status) => status !== 503),
    Array(5).fill(401),
  )
})
