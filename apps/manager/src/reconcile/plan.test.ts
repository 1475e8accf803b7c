import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { podView } from '../kubernetes/memory.js'
import type { PodView } from '../kubernetes/types.js'
import type { StrategyDoc } from '../store/documents.js'
import { expand } from '../strategies/expand.js'
import { isEmpty, planStrategy, type StrategyPlan } from './plan.js'
import { indexPods } from './pod-index.js'
import { intentsOf, strategyDoc } from './testing/documents.js'

const pod = (name: string, more: Partial<PodView> = {}): PodView => podView({ name, labels: { app: 'web' }, ...more })

function plan(strategy: StrategyDoc, pods: readonly PodView[], intents = intentsOf(strategy)): StrategyPlan {
  const planned = planStrategy(strategy, indexPods(pods), intents)
  assert.ok(planned !== 'too-slow')
  return planned
}

const said = ({ remove, add, replaced }: StrategyPlan) => ({
  remove: remove.map(({ podName }) => podName).sort(),
  add: add.map(({ name }) => name).sort(),
  replaced,
})

test('contract 1.10: pods that are gone lose their intent, new ones get one, and the others keep theirs', () => {
  const strategy = strategyDoc()
  const intents = intentsOf(strategy, pod('a'), pod('b'))
  assert.deepEqual(said(plan(strategy, [pod('b'), pod('c'), pod('other', { labels: {} })], intents)), {
    remove: ['a'],
    add: ['c'],
    replaced: 0,
  })
  assert.ok(isEmpty(plan(strategy, [pod('b'), pod('a')], intents)))
})

test('what the original forgets: a pod that is on a node by now, whose labels are others, or matches no more; a strategy that says something else', () => {
  const strategy = strategyDoc({ labelSelectors: [{ key: 'app', value: '' }] })
  const replaced = { remove: ['a'], add: ['a'], replaced: 1 }
  const others: readonly Partial<PodView>[] = [
    { nodeName: 'node-2' },
    { nodeName: '' },
    { name: 'a', namespace: 'elsewhere' },
    { labels: { app: 'web', canary: 'true' } },
    { labels: { app: 'api' } },
  ]
  for (const other of others)
    assert.deepEqual(said(plan(strategy, [pod('a', other)], intentsOf(strategy, pod('a')))), replaced)
  assert.deepEqual(said(plan(strategy, [pod('a', { labels: {} })], intentsOf(strategy, pod('a')))), {
    ...{ remove: ['a'], add: [], replaced: 0 },
  })
  const before: readonly Partial<StrategyDoc>[] = [
    { commandRegex: 'nginx' },
    { priority: 6 },
    { executionTime: 1_000_000 },
    { strategyNamespace: 'team' },
  ]
  for (const other of before)
    assert.deepEqual(said(plan(strategy, [pod('a')], intentsOf({ ...strategy, ...other }, pod('a')))), replaced)
})

test('a label that every object has is no label of a pod', () => {
  const strategy = strategyDoc({ labelSelectors: [{ key: 'constructor', value: '' }] })
  assert.ok(isEmpty(plan(strategy, [pod('a')])))
  const strange = pod('b', { labels: { constructor: 'x' } })
  assert.deepEqual(said(plan(strategy, [pod('a'), strange])).add, ['b'])
  const kept = strategyDoc()
  const same = pod('a', { labels: { app: 'web', toString: 'x' } })
  assert.deepEqual(said(plan(kept, [pod('a', { labels: { app: 'web', valueOf: 'x' } })], intentsOf(kept, same))).add, [
    'a',
  ])
})

test('contract M12: a strategy stays at its bound; who has an intent keeps it', () => {
  const strategy = strategyDoc()
  const pods = Array.from({ length: 10_002 }, (_, n) => pod(`pod-${n}`))
  const intents = intentsOf(strategy, ...pods.slice(2))
  const { remove, add, beyond } = plan(strategy, pods, intents)
  assert.deepEqual([remove.length, add.length, beyond], [0, 0, 2])
})

const names = ['a', 'b', 'c', 'd', 'e'] as const
const anyPods = fc
  .array(
    fc.record({
      name: fc.constantFrom(...names),
      namespace: fc.constantFrom('shop', 'team'),
      nodeName: fc.constantFrom('', 'n1', 'n2'),
      labels: fc.dictionary(fc.constantFrom('app', 'tier', 'toString'), fc.constantFrom('', 'x', 'y'), {
        noNullPrototype: true,
      }),
    }),
    { maxLength: 5 },
  )
  .map((given) => [...new Map(given.map((one) => [one.name, podView(one)])).values()])
const anyStrategy = fc
  .record({
    labelSelectors: fc.array(
      fc.record({ key: fc.constantFrom('app', 'tier', 'toString'), value: fc.constantFrom('', 'x', 'y') }),
      { maxLength: 2 },
    ),
    k8sNamespace: fc.uniqueArray(fc.constantFrom('shop', 'team', 'none'), { maxLength: 2 }),
  })
  .map(strategyDoc)

test('done, a plan leaves exactly the pods that match, as they are, and nothing to do; the index passes over no pod', () => {
  fc.assert(
    fc.property(anyStrategy, anyPods, anyPods, (strategy, before, now) => {
      const index = indexPods(now)
      const matching = expand(now, strategy)
      assert.deepEqual(
        new Set(expand(index.candidates(strategy), strategy).map(({ uid }) => uid)),
        new Set(matching.map(({ uid }) => uid)),
      )
      const intents = intentsOf(strategy, ...expand(before, strategy))
      const { remove, add } = plan(strategy, now, intents)
      const gone = new Set(remove.map(({ _id }) => _id))
      const after = [...intents.filter(({ _id }) => !gone.has(_id)), ...intentsOf(strategy, ...add)]
      const shown = ({ podID, nodeID, k8sNamespace, podLabels }: (typeof after)[number]) =>
        JSON.stringify([podID, nodeID, k8sNamespace, Object.entries(podLabels).sort()])
      assert.deepEqual(
        after.map(shown).sort(),
        intentsOf(strategy, ...matching)
          .map(shown)
          .sort(),
      )
      assert.ok(isEmpty(plan(strategy, now, after)))
    }),
  )
})
