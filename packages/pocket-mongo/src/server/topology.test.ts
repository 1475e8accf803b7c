import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Topology } from './topology.js'

const LONG = 2 ** 40

test('whoever waits hears of the next version, and nobody is waiting any more', async () => {
  const topology = new Topology()
  const known = topology.version
  const { signal } = new AbortController()
  const all = Promise.all([1, 2].map(() => topology.newerThan(known, LONG, signal)))
  assert.equal(topology.waiting, 2)
  topology.changed()
  await all
  assert.equal(topology.waiting, 0)
  assert.equal(topology.version.counter.toNumber(), known.counter.toNumber() + 1)
  await topology.newerThan(known, LONG, signal)
})

test('who is gone waits no longer, and who was gone before does not begin to', async () => {
  const topology = new Topology()
  const gone = new AbortController()
  const waits = topology.newerThan(topology.version, LONG, gone.signal)
  assert.equal(topology.waiting, 1)
  gone.abort()
  await assert.rejects(waits, { codeName: 'InterruptedAtShutdown' })
  assert.equal(topology.waiting, 0)
  await assert.rejects(topology.newerThan(topology.version, LONG, gone.signal), { codeName: 'InterruptedAtShutdown' })
  assert.equal(topology.waiting, 0)
})

test('time that is over is over', async () => {
  const topology = new Topology()
  await topology.newerThan(topology.version, 5, new AbortController().signal)
  assert.equal(topology.waiting, 0)
})
