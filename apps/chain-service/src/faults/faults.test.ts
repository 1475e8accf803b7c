import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createInjector, type FaultOptions } from './injector.js'
import { createRandom } from './random.js'
import { createTiming, type TimingOptions } from './timing.js'

const NONE: FaultOptions = {
  errorRate: 0,
  errorType: 'http_error',
  errorCode: 500,
  errorDelayMs: 0,
  rateLimit: 0,
  rateLimitCode: 503,
  random: undefined,
  now: () => 0,
}

function failing(options: Partial<FaultOptions>, requests: number): number[] {
  const inject = createInjector({ ...NONE, ...options })
  return Array.from({ length: requests }, (_, index) => (inject() === undefined ? 0 : index + 1)).filter(
    (index) => index > 0,
  )
}

test('1/n fails every n-th request; 0 none, 1 all; the rest on average', () => {
  assert.deepEqual(failing({ errorRate: 0.2 }, 12), [5, 10])
  assert.deepEqual(failing({ errorRate: 0.5 }, 6), [2, 4, 6])
  assert.deepEqual(failing({ errorRate: 0 }, 1000), [])
  assert.deepEqual(failing({ errorRate: 1 }, 3), [1, 2, 3])
  assert.equal(failing({ errorRate: 0.3 }, 1000).length, 300)
  assert.equal(failing({ errorRate: 0.75 }, 1000).length, 750)
})

test('every 1/n is even, whatever binary makes of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), (n) => {
      assert.deepEqual(failing({ errorRate: 1 / n }, 3 * n), [n, 2 * n, 3 * n])
    }),
  )
})

test('with a seed the failures are drawn, at the rate, and the same on every run', () => {
  const run = (seed: number): number[] => failing({ errorRate: 0.3, random: createRandom(seed) }, 10_000)
  assert.deepEqual(run(7), run(7))
  assert.notDeepEqual(run(7), run(8))
  assert.ok(Math.abs(run(7).length - 3_000) < 200)
})

test('the fault says what it is', () => {
  assert.deepEqual(createInjector({ ...NONE, errorRate: 1, errorCode: 418 })(), {
    code: 418,
    error: 'Service error automatically injected',
    delayMs: 0,
  })
  assert.deepEqual(createInjector({ ...NONE, errorRate: 1, errorType: 'delay', errorDelayMs: 20 })(), {
    code: 500,
    error: 'Service delay automatically injected',
    delayMs: 20,
  })
})

test('the rate limit is a token bucket that goes before the error rate', () => {
  let now = 0
  const inject = createInjector({ ...NONE, rateLimit: 2.5, rateLimitCode: 429, errorRate: 1, now: () => now })
  const errors = (): string[] => Array.from({ length: 4 }, () => inject()?.error ?? '')
  const [injected, limited] = ['Service error automatically injected', 'Service exceeded rate limit']
  assert.deepEqual(errors(), [injected, injected, limited, limited], 'a burst of two')
  now = 400
  assert.deepEqual(errors(), [injected, limited, limited, limited])
  now = 60_000
  assert.deepEqual(errors(), [injected, injected, limited, limited], 'no more than a burst is saved up')
  assert.equal(failing({ rateLimit: 0.5 }, 5).length, 5, 'below one per second nothing passes')
})

const draws = (options: Partial<TimingOptions>, values: readonly number[]): number => {
  const queue = [...values]
  return createTiming({
    p50Ms: 0,
    p90Ms: 0,
    p99Ms: 0,
    variancePercent: 0,
    random: () => queue.shift() ?? 0,
    ...options,
  })()
}

test('timing draws its percentile, and its variance', () => {
  const all = { p50Ms: 10, p90Ms: 20, p99Ms: 30 }
  assert.deepEqual(
    [0, 0.899, 0.9, 0.989, 0.99].map((draw) => draws(all, [draw])),
    [10, 10, 20, 20, 30],
  )
  assert.equal(draws({ p50Ms: 10 }, [0.95]), 10, 'an unset percentile is the one below')
  assert.equal(draws({ p50Ms: 10, p90Ms: 20 }, [0.995]), 20)
  assert.equal(draws({ p50Ms: 100, variancePercent: 50 }, [0.999, 0]), 149, 'at most one below the variance')
  assert.equal(draws({ p50Ms: 100, variancePercent: 50 }, [0, 0]), 100)
  assert.equal(draws({}, [0]), 0)
})

test('a seeded generator is even enough', () => {
  const random = createRandom(1)
  const sum = Array.from({ length: 10_000 }, random).reduce((total, value) => total + value, 0)
  assert.ok(Math.abs(sum / 10_000 - 0.5) < 0.02)
})
