import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginPace, Throttle, type ThrottleOptions } from './throttle.js'

function build(options: Partial<ThrottleOptions> = {}) {
  let clock = 1_000_000
  const throttle = new Throttle({ ...loginPace, ...options }, () => clock)
  const attempt = async (account: string, ip: string, right: boolean, device?: string): Promise<string> => {
    try {
      const turn = await throttle.enter({ account, ip, device })
      if (right) turn.succeeded()
      else turn.failed()
      return right ? 'in' : 'wrong'
    } catch (error) {
      const { code, headers } = error as { code: string; headers: Record<string, string> }
      assert.equal(code, 'TOO_MANY_ATTEMPTS')
      return headers['retry-after'] ?? 'no header'
    }
  }
  const pass = (ms: number): void => {
    clock += ms
  }
  return { throttle, attempt, pass }
}

test('five guesses are free; then each has to wait twice as long as the last, and never longer than 15 s', async () => {
  const { attempt, pass } = build()
  for (let free = 0; free < 5; free++) assert.equal(await attempt('ann', 'a', false), 'wrong')
  for (const seconds of [1, 2, 4, 8, 15, 15]) {
    assert.equal(await attempt('ann', 'a', true), String(seconds), 'also the right one waits, or it would be told')
    pass(seconds * 1000 - 1)
    assert.equal(await attempt('ann', 'a', false), '1')
    pass(1)
    assert.equal(await attempt('ann', 'a', false), 'wrong')
  }
  pass(15_000)
  assert.equal(await attempt('ann', 'a', true), 'in', 'the owner is slowed, not locked out')
  assert.equal(await attempt('ann', 'a', false), 'wrong', 'and has five tries again')
})

test('another account, and the same account from elsewhere, are not slowed by it', async () => {
  const { attempt } = build()
  for (let guess = 0; guess < 6; guess++) await attempt('ann', 'attacker', false)
  assert.equal(await attempt('ann', 'attacker', false), '1')
  assert.equal(await attempt('ann', 'home', true), 'in')
  assert.equal(await attempt('bob', 'attacker', true), 'in')
})

test('many addresses against one account are slowed together; who was logged in from his before is not', async () => {
  const { attempt } = build()
  assert.equal(await attempt('ann', 'home', true), 'in')
  for (let guess = 0; guess < 30; guess++) assert.equal(await attempt('ann', `bot-${guess}`, false), 'wrong')
  assert.equal(await attempt('ann', 'bot-new', false), '1')
  assert.equal(await attempt('ann', 'home', false), 'wrong', 'a slip of the owner')
  assert.equal(await attempt('ann', 'home', true), 'in')
})

test('one address against many accounts is slowed; whoever was logged in from there before is not', async () => {
  const { attempt, pass } = build()
  assert.equal(await attempt('ann', 'office', true), 'in')
  for (let guess = 0; guess < 60; guess++) assert.equal(await attempt(`user-${guess}`, 'office', false), 'wrong')
  assert.equal(await attempt('user-new', 'office', false), '1')
  assert.equal(await attempt('ann', 'office', true), 'in')
  pass(2_000)
  assert.equal(await attempt('bob', 'office', true), 'in', 'a stranger waits two seconds, at the most')
})

test('who shows a token of the account is told apart from a flood at the same address', async () => {
  const { attempt } = build()
  for (let guess = 0; guess < 5; guess++) await attempt('ann', 'shared', false)
  assert.equal(await attempt('ann', 'shared', true), '1')
  assert.equal(await attempt('ann', 'shared', true, 'her old token'), 'in')
  for (let guess = 0; guess < 5; guess++) await attempt('ann', 'shared', false, 'a stolen token')
  assert.equal(await attempt('ann', 'shared', false, 'a stolen token'), '1', 'a token is no way around')
})

test('a hundred guesses at once are a hundred: five are taken, and then one after the other', async () => {
  const { throttle } = build()
  let compared = 0
  const guess = async (): Promise<void> => {
    const turn = await throttle.enter({ account: 'ann', ip: 'a' })
    compared++
    await new Promise(setImmediate)
    turn.failed()
  }
  const results = await Promise.allSettled(Array.from({ length: 100 }, guess))
  assert.equal(compared, 5)
  assert.equal(results.filter(({ status }) => status === 'rejected').length, 95)
})

test('a hundred right logins at once all go through', async () => {
  const { throttle } = build()
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const turn = await throttle.enter({ account: 'ann', ip: 'a' })
      await new Promise(setImmediate)
      turn.succeeded()
    }),
  )
})

test('who waits for a try that is never decided is sent away in time; a try that is dropped counts for nothing', async () => {
  const { throttle, attempt } = build({ maxWaitMs: 10 })
  const turns = await Promise.all(Array.from({ length: 5 }, () => throttle.enter({ account: 'ann', ip: 'a' })))
  assert.equal(await attempt('ann', 'a', true), '1')
  for (const turn of turns) {
    turn.drop()
    turn.failed()
  }
  assert.equal(await attempt('ann', 'a', true), 'in')
})

test('counts are forgotten when nothing has failed for long, and never more are kept than may be', async () => {
  const { throttle, attempt, pass } = build({ maxEntries: 50 })
  for (let guess = 0; guess < 6; guess++) await attempt('ann', 'a', false)
  pass(loginPace.forgetMs + 1)
  for (let free = 0; free < 5; free++) assert.equal(await attempt('ann', 'a', false), 'wrong')
  for (let name = 0; name < 500; name++) await attempt(`nobody-${name}`, `ip-${name}`, false)
  assert.equal(throttle.size, 3 * 50, 'of each kind')
})

test('an account is known at its last twenty addresses, and no other account can take one of them from it', async () => {
  const { throttle, attempt } = build({ maxEntries: 30 })
  const isKnown = async (account: string, ip: string): Promise<boolean> => {
    const turn = await throttle.enter({ account, ip })
    turn.drop()
    return turn.known
  }
  assert.equal(await isKnown('ann', 'home'), false)
  assert.equal(await attempt('ann', 'home', true), 'in')
  for (let other = 0; other < 500; other++) assert.equal(await attempt('eve', `eve-${other}`, true), 'in')
  assert.equal(await isKnown('ann', 'home'), true)
  assert.equal(await isKnown('bob', 'home'), false)
  for (let other = 1; other < 20; other++) await attempt('ann', `elsewhere-${other}`, true)
  assert.equal(await isKnown('ann', 'home'), true)
  await attempt('ann', 'elsewhere-20', true)
  assert.equal(await isKnown('ann', 'home'), false)
})

test('a clock that is set back makes nobody wait longer than he would have', async () => {
  const { attempt, pass } = build()
  for (let free = 0; free < 5; free++) await attempt('ann', 'a', false)
  pass(-3_600_000)
  assert.equal(await attempt('ann', 'a', true), '1')
  pass(1_000)
  assert.equal(await attempt('ann', 'a', true), 'in')
})
