import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check, Outcome } from '../checks/check.js'
import { Board } from './board.js'

/** A check that waits to be told. */
class Controlled implements Check {
  readonly name = 'A thing'
  readonly target = 'thing.example'
  readonly kind = 'outside'
  readonly id: string
  asked = 0
  #resolve: ((outcome: Outcome) => void)[] = []

  constructor(id = 'thing') {
    this.id = id
  }

  run(): Promise<Outcome> {
    this.asked++
    return new Promise((resolve) => this.#resolve.push(resolve))
  }

  tell(code: Outcome['code']): void {
    for (const resolve of this.#resolve.splice(0)) resolve({ code })
  }
}

test('whoever asks: one round at a time, and one per cache time', async () => {
  const check = new Controlled()
  const board = new Board([check], { cacheMs: 60_000 })
  assert.equal(board.fresh(), undefined)
  const asked = Array.from({ length: 1_000 }, () => board.current())
  assert.equal(check.asked, 1)
  check.tell('connected')
  const statuses = await Promise.all(asked)
  assert.equal(new Set(statuses).size, 1)
  for (let again = 0; again < 1_000; again++) assert.equal(await board.current(), statuses[0])
  assert.equal(board.fresh(), statuses[0])
  assert.equal(check.asked, 1)
})

test('an old round is not shown: who asks waits for the next', async () => {
  const check = new Controlled()
  const board = new Board([check], { cacheMs: 0 })
  const first = board.current()
  check.tell('connected')
  await first
  assert.equal(board.fresh(), undefined)
  const second = board.current()
  assert.equal(check.asked, 2)
  check.tell('tls-reset')
  assert.equal((await second).reports[0]?.code, 'tls-reset')
})

test('all checks run side by side', async () => {
  const checks = [new Controlled('a'), new Controlled('b'), new Controlled('c')]
  const board = new Board(checks, { cacheMs: 1_000 })
  const asked = board.current()
  assert.deepEqual(
    checks.map((check) => check.asked),
    [1, 1, 1],
  )
  for (const check of checks) check.tell('connected')
  assert.deepEqual(
    (await asked).reports.map((report) => report.check.id),
    ['a', 'b', 'c'],
  )
})

test('since: kept while the code is the same, and told when it changes', async () => {
  const check = new Controlled()
  const seen: [string, boolean][] = []
  const board = new Board([check], {
    cacheMs: 0,
    onResult: ({ code }, _outcome, changed) => seen.push([code, changed]),
  })
  const round = async (code: Outcome['code']) => {
    const asked = board.current()
    check.tell(code)
    return (await asked).reports[0]?.since
  }
  const first = await round('connected')
  assert.equal(await round('connected'), first)
  const changed = await round('timeout')
  assert.ok(changed !== undefined && first !== undefined && changed !== first && changed >= first)
  assert.deepEqual(seen, [
    ['connected', true],
    ['connected', false],
    ['timeout', true],
  ])
})

test('a check that rejects, which none should, is a failed one; the others stand', async () => {
  const broken: Check = { ...new Controlled('broken'), run: () => Promise.reject(new Error('a bug')) }
  const good = new Controlled('good')
  const asked = new Board([broken, good], { cacheMs: 0 }).current()
  good.tell('connected')
  assert.deepEqual(
    (await asked).reports.map(({ code, state }) => [code, state]),
    [
      ['failed', 'unreachable'],
      ['connected', 'connected'],
    ],
  )
})
