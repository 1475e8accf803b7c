import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { Run } from './reconciler.js'
import { Schedule } from './schedule.js'

const done: Run = { outcome: 'done', took: { refresh: 0, resync: 0 } }

function build(work: (signal?: AbortSignal) => Promise<Run> = () => Promise.resolve(done)) {
  const seen = { runs: 0, most: 0, beats: 0, released: 0 }
  const lines: string[] = []
  const lease = {
    term: undefined as number | undefined,
    hold: async () => {
      seen.beats++
      return lease.term
    },
    release: async () => {
      seen.released++
    },
  }
  let now = 0
  const reconciler = {
    run: async (signal?: AbortSignal) => {
      seen.runs++
      seen.most = Math.max(seen.most, ++now)
      try {
        return await work(signal)
      } finally {
        now--
      }
    },
  }
  const note = (_: unknown, text?: string): void => void lines.push(String(text))
  const start = (intervalMs: number, beatMs = 1): Schedule =>
    new Schedule(reconciler, lease, { intervalMs, firstMs: 1, beatMs, log: { info: note, warn: note } })
  return { seen, lines, lease, start }
}

test('contract 1.10: it runs again and again, one run after the other, and keeps the lease meanwhile', async () => {
  const { seen, start } = build(async () => {
    await new Promise(setImmediate)
    return done
  })
  const schedule = start(1)
  await eventually('runs and beats', () => seen.runs > 5 && seen.beats > 5)
  await schedule.stop()
  assert.deepEqual([seen.most, seen.released], [1, 1])
  const { runs } = seen
  await new Promise(setImmediate)
  assert.equal(seen.runs, runs, 'stopped is stopped')
})

test('a run that takes long does not keep the lease from being kept; stopping tells it, and waits for it', async () => {
  let told = false
  const { seen, start } = build(
    (signal) =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => {
          told = true
          resolve({ ...done, outcome: 'late' })
        })
      }),
  )
  const schedule = start(1)
  await eventually('it runs', () => seen.runs === 1)
  const { beats } = seen
  await eventually('beats go on', () => seen.beats > beats + 3)
  await schedule.stop()
  assert.ok(told)
  assert.deepEqual([seen.runs, seen.released], [1, 1])
})

test('who reconciles is told when it changes, and no more than that', async () => {
  const { seen, lines, lease, start } = build()
  lease.term = 3
  const schedule = start(1_000)
  await eventually('beats', () => seen.beats > 4)
  lease.term = undefined
  await eventually('the loss', () => lines.length > 1)
  await schedule.stop()
  assert.deepEqual(lines, ['this replica reconciles from now on', 'another replica reconciles'])
})

test('a database that is away stops nothing', async () => {
  const { seen, lines, lease, start } = build()
  lease.term = 1
  const schedule = start(1)
  await eventually('a beat', () => seen.beats > 1)
  lease.hold = () => {
    seen.beats++
    lease.term = undefined
    return Promise.reject(new Error('it is away'))
  }
  const { runs } = seen
  await eventually('it goes on', () => seen.runs > runs + 2 && lines.length >= 3)
  await schedule.stop()
  assert.ok(lines.includes('the database does not answer: the lease is lost'))
})
