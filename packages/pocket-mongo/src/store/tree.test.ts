import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Tree } from './tree.js'

/** Runs of keys: enough of them for a tree of three levels, put in and taken out in any order. */
const steps = fc.array(
  fc.record({
    from: fc.integer({ min: 0, max: 6000 }),
    count: fc.integer({ min: 1, max: 700 }),
    stride: fc.constantFrom(1, -1, 3, 7),
    remove: fc.boolean(),
    fresh: fc.boolean(),
  }),
  { maxLength: 40, minLength: 10, size: 'max' },
)

test('a tree holds what a map holds, in order, whoever edits it', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let tree = Tree.empty<number, number>()
      const map = new Map<number, number>()
      let edit = {}
      for (const [at, { from, count, stride, remove, fresh }] of all.entries()) {
        if (fresh) edit = {}
        for (let key = from, left = count; left > 0; key += stride, left--) {
          if (remove) {
            tree = tree.delete(key, edit)
            map.delete(key)
          } else {
            tree = tree.set(key, at, edit)
            map.set(key, at)
          }
        }
      }
      const sorted = [...map].sort(([a], [b]) => a - b)
      assert.equal(tree.size, map.size)
      assert.deepEqual(
        [...tree.entries()].map(({ key, value }) => [key, value]),
        sorted,
      )
      for (const key of [-1, 57, 2000, 3999]) assert.equal(tree.get(key), map.get(key))
      for (const [from, to] of [
        [undefined, 1000],
        [1000, 3000],
        [3000, undefined],
        [37, 38],
      ] as const) {
        const within = sorted.filter(([key]) => (from === undefined || key >= from) && (to === undefined || key < to))
        const values = within.map(([, value]) => value)
        assert.deepEqual([...tree.values({ from, to })], values)
        assert.deepEqual([...tree.values({ from, to, reverse: true })], values.reverse())
      }
      assert.equal(tree.ceiling(2000)?.key, sorted.find(([key]) => key >= 2000)?.[0])
    }),
    { numRuns: 60 },
  )
})

test('a tree that somebody holds does not change', () => {
  let tree = Tree.empty<number, number>()
  const edit = {}
  for (let key = 0; key < 1000; key++) tree = tree.set(key, key, edit)
  const held = tree
  const other = {}
  for (let key = 0; key < 1000; key += 2) tree = tree.delete(key, other)
  for (let key = 1; key < 1000; key += 2) tree = tree.set(key, -key, other)
  assert.equal(held.size, 1000)
  assert.deepEqual(
    [...held.values()],
    Array.from({ length: 1000 }, (_, key) => key),
  )
  assert.equal(tree.size, 500)
  assert.equal(tree.get(501), -501)
})
