import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationMs, intersectHosts } from './gateway-api.js'

test('the intersection of two patterns has the hosts that both have', () => {
  const table: [a: string, b: string, both: string | undefined][] = [
    ['*', '*', '*'],
    ['*', 'a.example', 'a.example'],
    ['*', '*.example', '*.example'],
    ['*.example', 'a.example', 'a.example'],
    ['*.example', 'b.a.example', 'b.a.example'],
    ['*.example', '*.a.example', '*.a.example'],
    ['*.example', '*.example', '*.example'],
    ['a.example', 'a.example', 'a.example'],
    ['*.example', 'example', undefined],
    ['*.a.example', '*.b.example', undefined],
    ['a.example', 'b.example', undefined],
    ['*.a.example', '*.aa.example', undefined],
  ]
  for (const [a, b, both] of table) {
    assert.equal(intersectHosts(a, b), both, `${a} ${b}`)
    assert.equal(intersectHosts(b, a), both, `${b} ${a}`)
  }
})

/* The forms are those of GEP-2257. */
test('a duration has up to four parts of whole numbers', () => {
  const table: [string, number | undefined][] = [
    ['1h', 3_600_000],
    ['1h30m', 5_400_000],
    ['30m1h', 5_400_000],
    ['1h2m3s4ms', 3_723_004],
    ['500ms', 500],
    ['10s500ms', 10_500],
    ['1ms', 1],
    ['1m1ms', 60_001],
    ['0s', 0],
    ['0h0m0s0ms', 0],
    ['00010s', 10_000],
    ['', undefined],
    ['10', undefined],
    ['1.5s', undefined],
    ['-1s', undefined],
    ['1s1s1s1s1s', undefined],
    ['100000s', undefined],
    ['1d', undefined],
    ['1 s', undefined],
  ]
  for (const [text, ms] of table) assert.equal(durationMs(text), ms, text)
})
