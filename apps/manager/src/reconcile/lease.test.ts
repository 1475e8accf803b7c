import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sharedManager } from '../testing/index.js'
import { LEASE_MS, Lease } from './lease.js'

const manager = sharedManager()
let made = 0

/** Replicas that ask for one lease, each with a clock of its own that begins anywhere. */
async function replicas(...names: readonly string[]) {
  const { store } = await manager()
  const id = `lease-${++made}`
  return names.map((owner, n) => {
    const clock = { now: 1_000_000 * n }
    return { clock, lease: new Lease({ store, id, owner, now: () => clock.now }), id, store }
  })
}

type Replica = Awaited<ReturnType<typeof replicas>>[number]

test('one has it and keeps it, with the same term; the other does not get it while it is kept', async () => {
  const [a, b] = (await replicas('a', 'b')) as [Replica, Replica]
  assert.equal(await a.lease.hold(), 1)
  for (let beat = 0; beat < 6; beat++) {
    for (const { clock } of [a, b]) clock.now += LEASE_MS / 3
    assert.equal(await a.lease.hold(), 1)
    assert.equal(await b.lease.hold(), undefined)
    assert.deepEqual([a.lease.term, b.lease.term], [1, undefined])
  }
})

test('killed, its holder is followed by another one with a higher term, after the lease and not before', async () => {
  const [a, b] = (await replicas('a', 'b')) as [Replica, Replica]
  await a.lease.hold()
  assert.equal(await b.lease.hold(), undefined, 'b begins to watch')
  for (const { clock } of [a, b]) clock.now += LEASE_MS - 1
  assert.equal(await b.lease.hold(), undefined)
  assert.equal(a.lease.term, undefined, 'and a has stopped by itself before')
  b.clock.now += 1
  assert.equal(await b.lease.hold(), 2)
  assert.equal(await a.lease.hold(), undefined, 'it has been taken over')
})

test('given back at a shutdown, it is free at once; giving back what one has not any more takes nothing away', async () => {
  const [a, b] = (await replicas('a', 'b')) as [Replica, Replica]
  await a.lease.hold()
  await a.lease.release()
  assert.equal(a.lease.term, undefined)
  assert.equal(await b.lease.hold(), 2)
  await a.lease.release()
  assert.equal(await b.lease.hold(), 2)
})

test('clocks that show other times make no difference: they are never compared', async () => {
  const [a, b] = (await replicas('a', 'b')) as [Replica, Replica]
  a.clock.now = 5e12
  b.clock.now = 0
  await a.lease.hold()
  for (let beat = 0; beat < 4; beat++) {
    a.clock.now += LEASE_MS / 3
    b.clock.now += LEASE_MS / 3
    await a.lease.hold()
    assert.equal(await b.lease.hold(), undefined)
  }
})

test('a holder whose answer was not heard still has it, as the same one', async () => {
  const [a] = (await replicas('a')) as [Replica]
  await a.lease.hold()
  const next = new Lease({ store: a.store, id: a.id, owner: 'a' })
  assert.equal(await next.hold(), 1)
})

test('many that begin at once: one gets it', async () => {
  const all = await replicas('a', 'b', 'c', 'd', 'e')
  const terms = await Promise.all(all.map(({ lease }) => lease.hold()))
  assert.equal(terms.filter((term) => term !== undefined).length, 1)
})

test('whatever replicas do and however their clocks go on, no two have it at one moment, and terms go up', async () => {
  const step = fc.record({
    who: fc.nat(2),
    does: fc.constantFrom('hold' as const, 'release' as const, 'nothing' as const),
    ms: fc.nat(LEASE_MS),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const all = await replicas('a', 'b', 'c')
      let highest = 0
      for (const { who, does, ms } of steps) {
        const { lease } = all[who] as Replica
        if (does === 'release') await lease.release()
        if (does === 'hold') {
          const term = await lease.hold()
          assert.ok(term === undefined || term >= highest, `${term} after ${highest}`)
          highest = Math.max(highest, term ?? 0)
        }
        for (const { clock } of all) clock.now += ms
        assert.ok(all.filter((one) => one.lease.term !== undefined).length <= 1)
      }
    }),
    { numRuns: 60 },
  )
})
