import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Held, nothingHeld } from './entries.js'
import { admittedOf } from './whole.js'

const holding = (...whats: readonly string[]): Held => ({
  ...nothingHeld,
  policies: {
    resources: [],
    notModelled: whats.map((what) => ({ id: 'ValidatingPolicy/p', what, at: 'p.yaml:9' })),
  },
})
const told = (before: Held, held: Held) => admittedOf(before, { held, asked: [] }).warnings

test('what is not modelled of a policy is told when it comes in, and once', () => {
  const said = 'ValidatingPolicy/p: http.Get() (p.yaml:9) is not modelled; what it touches is denied'
  assert.deepEqual(told(nothingHeld, holding('http.Get()')), [said])
  assert.deepEqual(told(holding(), holding('http.Get()')), [said])
  assert.deepEqual(told(holding('sha256()'), holding('sha256()', 'http.Get()')), [said])
  assert.deepEqual(told(holding('http.Get()'), holding('http.Get()')), [])
  assert.deepEqual(told(holding('http.Get()'), nothingHeld), [])
})
