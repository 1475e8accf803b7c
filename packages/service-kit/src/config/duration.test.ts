import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDurationNs, parseDurationNs } from './duration.js'

const WRITTEN: readonly (readonly [number, string])[] = [
  [0, '0s'],
  [1, '1ns'],
  [999, '999ns'],
  [1_000, '1µs'],
  [198_860, '198.86µs'],
  [999_999, '999.999µs'],
  [19_401_949, '19.401949ms'],
  [1_000_000, '1ms'],
  [1_000_000_000, '1s'],
  [62_500_000_000, '1m2.5s'],
  [60_000_000_000, '1m0s'],
  [3_600_000_000_000, '1h0m0s'],
  [3_600_000_000_001, '1h0m0.000000001s'],
  [-1_500_000, '-1.5ms'],
]

test('durations are written as Go writes them', () => {
  for (const [ns, text] of WRITTEN) assert.equal(formatDurationNs(ns), text)
  assert.equal(formatDurationNs(1_000).charCodeAt(1), 0xb5, 'the micro sign, not the Greek letter')
})

test('durations are read as Go reads them', () => {
  for (const [ns, text] of WRITTEN) assert.equal(parseDurationNs(text), ns)
  assert.equal(parseDurationNs('0'), 0)
  assert.equal(parseDurationNs('+5s'), 5e9)
  assert.equal(parseDurationNs('.5s'), 5e8)
  assert.equal(parseDurationNs('1.s'), 1e9)
  assert.equal(parseDurationNs('1h15m30.918s'), 4_530_918_000_000)
  assert.equal(parseDurationNs('10us'), 10_000)
  assert.equal(parseDurationNs('10μs'), 10_000)
})

test('what Go does not read is refused', () => {
  for (const text of ['', '-', '5', '1 s', '1sec', 's', '1s ', 'NaN', '1e3s', '.s', '1d', '--1s', '99999999h']) {
    assert.throws(() => parseDurationNs(text), RangeError, JSON.stringify(text))
  }
})

test('any duration survives being written and read', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (ns) => {
      assert.equal(parseDurationNs(formatDurationNs(ns)), ns)
    }),
    { examples: [[Number.MAX_SAFE_INTEGER]] },
  )
})

test('the unit follows the size, and no fraction ends in a zero', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 48 }), (ns) => {
      const text = formatDurationNs(ns)
      const unit =
        ns < 1e3 ? /^\d+ns$/ : ns < 1e6 ? /^\d{1,3}(\.\d{1,3})?µs$/ : ns < 1e9 ? /^\d{1,3}(\.\d{1,6})?ms$/ : null
      assert.match(text, unit ?? /^(\d+h)?(\d{1,2}m)?\d{1,2}(\.\d{1,9})?s$/)
      assert.doesNotMatch(text, /\.\d*0(µs|ms|s)$/)
    }),
  )
})
