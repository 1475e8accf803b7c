import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { map, policy, ruling } from '../testing/admission.js'
import { nothingHeld, refusalsOf, storedOf } from './entries.js'
import { pass } from './gate.js'

const none: ReadonlySet<string> = new Set()
const background = 'system:serviceaccount:kyverno:kyverno-background-controller'

/** Puts sets of objects in force, and deletes what policies made. */
function gate() {
  const { engine, asked } = ruling()
  let held = nothingHeld
  return {
    asked,
    async put(wanted: readonly Resource[], taken: { readonly out?: string; readonly back?: string } = {}) {
      const { out, back } = taken
      const ids = { out: out === undefined ? none : new Set([out]), back: back === undefined ? none : new Set([back]) }
      held = (await pass(engine, held, { wanted, written: wanted, taken: ids })).held
      return [storedOf(held).some(({ id }) => id === 'ConfigMap/of-a'), refusalsOf(held).map(({ message }) => message)]
    },
  }
}

test('what a policy made once and somebody deletes is gone until its object is asked about again', async () => {
  const { put, asked } = gate()
  const make = policy('make', { to: 'ConfigMap/shop/a', does: 'make' })
  assert.deepEqual(await put([make, map('a')]), [true, []])
  asked()
  assert.deepEqual(await put([make, map('a')], { out: 'ConfigMap./of-a' }), [false, []])
  assert.deepEqual(asked(), ['DELETE ConfigMap/of-a'])
  assert.deepEqual(await put([make, map('a'), map('b')]), [false, []])
  assert.deepEqual(await put([make, map('a'), map('b')], { back: 'ConfigMap/of-a' }), [true, []])
  assert.deepEqual(await put([make, map('a'), map('b')], { out: 'ConfigMap/of-a' }), [false, []])
  asked()
  assert.deepEqual(await put([make, map('a', { n: '2' }), map('b')]), [true, []])
  assert.deepEqual(asked(), ['UPDATE ConfigMap/shop/a was {}', `CREATE ConfigMap/of-a as ${background}`])
})

test('what a policy keeps as it says is made again at once, where that is let in', async () => {
  const { put, asked } = gate()
  const make = policy('make', { to: 'ConfigMap/shop/a', does: 'make', goes: true })
  const no = policy('no', { to: 'ConfigMap/of-a', on: ['CREATE'], does: 'refuse' })
  await put([make, map('a')])
  asked()
  assert.deepEqual(await put([make, map('a')], { out: 'ConfigMap/of-a' }), [true, []])
  assert.deepEqual(asked(), ['DELETE ConfigMap/of-a', `CREATE ConfigMap/of-a as ${background}`])
  await put([make, no, map('a')])
  assert.deepEqual(await put([make, no, map('a')], { out: 'ConfigMap/of-a' }), [false, ['no says no to of-a']])
})

test('what may not be deleted stays', async () => {
  const { put, asked } = gate()
  const make = policy('make', { to: 'ConfigMap/shop/a', does: 'make' })
  const keep = policy('keep', { to: 'ConfigMap/of-a', on: ['DELETE'], does: 'refuse' })
  await put([make, keep, map('a')])
  asked()
  assert.equal((await put([make, keep, map('a')], { out: 'ConfigMap/of-a' }))[0], true)
  assert.deepEqual(asked(), ['DELETE ConfigMap/of-a'])
})
