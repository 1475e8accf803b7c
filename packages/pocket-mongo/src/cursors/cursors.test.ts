import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Long } from 'bson'
import { type CursorOwner, Cursors } from './cursors.js'

const owner: CursorOwner = { user: 'test.ann', session: 'one', transaction: undefined }
const documents = Array.from({ length: 5 }, (_, n) => Buffer.from([n]))
const opened = (cursors: Cursors, as = owner) => cursors.open('test.c', documents, as, { size: 2 }).id.toBigInt()

test('what fits into the first batch leaves no cursor', () => {
  const cursors = new Cursors()
  assert.equal(cursors.open('test.c', documents, owner, {}).id, Long.ZERO)
  assert.equal(cursors.open('test.c', documents, owner, { size: 2, single: true }).id, Long.ZERO)
  assert.equal(cursors.size, 0)
  const id = opened(cursors)
  assert.equal(cursors.size, 1)
  assert.deepEqual(cursors.more(id, 'test.c', owner, 2).nextBatch.documents, documents.slice(2, 4))
  const last = cursors.more(id, 'test.c', owner, undefined)
  assert.deepEqual([last.id, last.nextBatch.documents.length, cursors.size], [Long.ZERO, 1, 0])
})

test('a batch has 16 MiB, and one document at least', () => {
  const cursors = new Cursors()
  const large = Array.from({ length: 3 }, () => Buffer.alloc(9 * 1024 * 1024))
  const { id, firstBatch } = cursors.open('test.c', large, owner, { size: 100 })
  assert.equal(firstBatch.documents.length, 1)
  assert.equal(cursors.more(id.toBigInt(), 'test.c', owner, 100).nextBatch.documents.length, 1)
})

test('nobody else goes on with it: not by another name, user, session or transaction', () => {
  const cursors = new Cursors()
  const id = opened(cursors)
  const others = [
    ['test.d', owner, 'Unauthorized'],
    ['test.c', { ...owner, user: 'test.bob' }, 'Unauthorized'],
    ['test.c', { ...owner, user: undefined }, 'Unauthorized'],
    ['test.c', { ...owner, session: 'two' }, 'Location50738'],
    ['test.c', { ...owner, session: undefined }, 'Location50738'],
    ['test.c', { ...owner, transaction: 1n }, 'Location50738'],
  ] as const
  for (const [ns, other, codeName] of others) assert.throws(() => cursors.more(id, ns, other, 1), { codeName })
  assert.equal(cursors.kill(id, 'test.c', 'test.bob'), false)
  assert.equal(cursors.more(id, 'test.c', owner, 1).nextBatch.documents.length, 1)
  assert.equal(cursors.kill(id, 'test.c', owner.user), true)
  assert.throws(() => cursors.more(id, 'test.c', owner, 1), { codeName: 'CursorNotFound' })
})

test('it ends after ten minutes in which nobody asked', () => {
  const cursors = new Cursors()
  const id = opened(cursors)
  cursors.sweep(Date.now() + 9 * 60_000)
  cursors.more(id, 'test.c', owner, 1)
  cursors.sweep(Date.now() + 11 * 60_000)
  assert.throws(() => cursors.more(id, 'test.c', owner, 1), { codeName: 'CursorNotFound' })
})

test('it ends with its session, its transaction, its collection', () => {
  const cursors = new Cursors()
  const within = { ...owner, transaction: 1n }
  const ids = [opened(cursors), opened(cursors, within), opened(cursors, { ...owner, session: 'two' })]
  cursors.endOf('one', 1n)
  assert.equal(cursors.size, 2)
  cursors.endOf('one')
  assert.equal(cursors.size, 1)
  cursors.endIn((ns) => ns === 'test.d')
  assert.equal(cursors.size, 1)
  cursors.endIn((ns) => ns === 'test.c')
  assert.equal(cursors.size, 0)
  assert.equal(new Set(ids).size, 3)
})

test('there is an end to how many there are', () => {
  const cursors = new Cursors()
  for (let n = 0; n < 10_000; n++) opened(cursors)
  assert.throws(() => opened(cursors), { codeName: 'QueryPlanKilled' })
  assert.equal(cursors.open('test.c', documents, owner, {}).firstBatch.documents.length, 5)
})
