import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkQueue } from './work-queue.js'

const options = { concurrency: 2, maxWaiting: 6, maxWaitingOfOne: 4, maxWaitMs: 5_000 }

/** Work that ends when it is told to, and says when it began. */
function work() {
  const began: string[] = []
  const ends: (() => void)[] = []
  return {
    began,
    one: (name: string) => () =>
      new Promise<string>((resolve) => {
        began.push(name)
        ends.push(() => resolve(name))
      }),
    async endNext(): Promise<void> {
      ends.shift()?.()
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    },
  }
}

test('no more run at a time than may, and each result goes to whoever asked', async () => {
  const queue = new WorkQueue(options)
  const { began, one, endNext } = work()
  const results = ['1', '2', '3'].map((name) => queue.run('a', one(name)))
  assert.deepEqual(began, ['1', '2'])
  assert.deepEqual([queue.running, queue.waiting], [2, 1])
  await endNext()
  assert.deepEqual(began, ['1', '2', '3'])
  await endNext()
  await endNext()
  assert.deepEqual(await Promise.all(results), ['1', '2', '3'])
  assert.deepEqual([queue.running, queue.waiting], [0, 0])
})

test('one who brings many waits behind himself: another is served next', async () => {
  const queue = new WorkQueue({ ...options, concurrency: 1 })
  const { began, one, endNext } = work()
  const all = ['f1', 'f2', 'f3', 'f4'].map((name) => queue.run('flood', one(name)))
  all.push(queue.run('owner', one('o1')))
  for (let left = 5; left > 0; left--) await endNext()
  assert.deepEqual(began, ['f1', 'f2', 'o1', 'f3', 'f4'])
  await Promise.all(all)
})

test('too many of one, or of all, are refused at once with Retry-After', async () => {
  const queue = new WorkQueue({ ...options, concurrency: 1 })
  const { one, endNext } = work()
  const busy = { code: 'UNAVAILABLE', status: 503, headers: { 'retry-after': '2' } }
  const taken = ['1', '2', '3', '4', '5'].map((name) => queue.run('a', one(name)))
  await assert.rejects(queue.run('a', one('6')), busy)
  taken.push(queue.run('b', one('7')), queue.run('c', one('8')))
  await assert.rejects(queue.run('d', one('9')), busy)
  for (let left = 7; left > 0; left--) await endNext()
  assert.equal((await Promise.all(taken)).length, 7)
})

test('who has waited too long is told so, and his work is never begun', async () => {
  const queue = new WorkQueue({ ...options, concurrency: 1, maxWaitMs: 10 })
  const { began, one, endNext } = work()
  const first = queue.run('a', one('1'))
  await assert.rejects(queue.run('a', one('2')), { code: 'UNAVAILABLE' })
  assert.equal(queue.waiting, 0)
  await endNext()
  await first
  assert.deepEqual(began, ['1'])
  assert.equal(queue.running, 0)
})

test('work that fails makes room, too', async () => {
  const queue = new WorkQueue({ ...options, concurrency: 1 })
  const failing = queue.run('a', () => Promise.reject(new Error('no')))
  const next = queue.run('a', () => Promise.resolve('yes'))
  await assert.rejects(failing, /no/)
  assert.equal(await next, 'yes')
})

test('strangers cannot take the places that are kept for who is known, and he comes in his turn', async () => {
  const queue = new WorkQueue({ ...options, concurrency: 1, reserved: 1 })
  const { began, one, endNext } = work()
  const strangers = Array.from({ length: 7 }, (_, n) => queue.run(`stranger-${n}`, one(`stranger-${n}`)))
  const busy = { code: 'UNAVAILABLE' }
  await assert.rejects(queue.run('another', one('another')), busy)
  const known = queue.run('owner', one('owner'), true)
  await assert.rejects(queue.run('another known', one('another known'), true), busy)
  for (let turn = 0; turn < 8; turn++) await endNext()
  assert.equal(await known, 'owner')
  assert.equal(began.at(-1), 'owner')
  await Promise.all(strangers)
  assert.deepEqual([queue.running, queue.waiting], [0, 0])
})
