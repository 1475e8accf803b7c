import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import { CompileError } from '../../../model/compile-error.js'
import { ask, podOf, reviewOf } from '../../../testing/cluster-policy.js'
import { resource } from '../../../testing/objects.js'
import { best } from '../../../testing/yardstick.js'
import { clusterPolicyReviewers } from './index.js'
import { wildcardMatches } from './values/wildcard.js'

/*
 * Nothing that a policy or an object holds takes the engine's time, memory or stack: it is an answer, or unknown.
 */

const pods = { any: [{ resources: { kinds: ['Pod'], names: ['*'] } }] }

function policy(rule: object) {
  const spec = { validationFailureAction: 'Enforce', rules: [{ name: 'r', match: pods, ...rule }] }
  const object: KubernetesObject = { apiVersion: 'kyverno.io/v1', kind: 'ClusterPolicy', metadata: { name: 'p' } }
  return [resource({ ...object, ...{ spec } })]
}
const step = (rule: object, object = podOf(), does: 'validate' | 'mutate' = 'validate') =>
  ask(policy(rule), object, does).steps[0]
const nested = (depth: number, leaf: unknown): unknown => {
  let value = leaf
  for (let level = 0; level < depth; level++) value = { a: value }
  return value
}
const denyWhen = (key: unknown) => ({
  validate: { deny: { conditions: { all: [{ key, operator: 'Equals', value: 'x' }] } } },
})
const unknown = (found: ReturnType<typeof step>, what: RegExp) => {
  assert.deepEqual([found?.outcome, found?.code], ['unknown', 'not-modelled'])
  assert.match(String(found?.facts?.what), what)
}

test('a pattern nested 1,000 deep is refused as the policy that it is in', () => {
  assert.throws(
    () => step({ validate: { pattern: nested(1_000, 'x') } }),
    (error) => error instanceof CompileError && /nested deeper than 100 levels/.test(error.message),
  )
  assert.equal(step({ validate: { pattern: { spec: nested(60, 'x') } } })?.outcome, 'deny')
})

test('an object nested 5,000 deep is judged where patterns look', () => {
  const review = { ...reviewOf(podOf(), []), object: { ...podOf({ deep: nested(5_000, 'x') }) } }
  const judged = (rule: object) => clusterPolicyReviewers(policy(rule))[0]?.review(review).steps[0]
  assert.equal(judged({ validate: { pattern: { spec: { '=(deep)': { a: '?*' } } } } })?.outcome, 'deny')
  assert.equal(judged({ validate: { pattern: { spec: { deep: '*' } } } })?.outcome, 'allow')
  unknown(judged(denyWhen('x{{ request.object.spec.deep }}')), /nested deeper/)
  unknown(judged(denyWhen('{{ request.object.spec.deep }}')), /nested too deep/)
})

test('a wildcard with many stars takes as long as the text has characters, each for each', () => {
  const pattern = `${'*a'.repeat(30)}*b`
  const [short, long] = ['a'.repeat(2_000), 'a'.repeat(8_000)]
  assert.equal(wildcardMatches(pattern, long), false)
  assert.equal(wildcardMatches(pattern, `${long}b`), true)
  // One that goes back over the text takes more for four times as much than any number.
  const ratio = best(20, () => wildcardMatches(pattern, long)) / best(20, () => wildcardMatches(pattern, short))
  assert.ok(ratio < 20, `four times the text takes ${ratio.toFixed(1)} times as long`)
})

test('an object of 10 MB', () => {
  const containers = Array.from({ length: 40_000 }, (_, n) => ({ name: `c${n}`, image: `i/${'x'.repeat(200)}${n}` }))
  const object = podOf({ containers })
  assert.equal(step({ validate: { pattern: { spec: { containers: [{ image: 'i/*' }] } } } }, object)?.outcome, 'allow')
  const exists = Array.from({ length: 100 }, (_, n) => ({ name: `d${n}` }))
  assert.equal(step({ validate: { pattern: { spec: { '^(containers)': exists } } } }, object)?.outcome, 'deny')
  const many = Array.from({ length: 100 }, (_, n) => ({ name: `c${39_900 + n}` }))
  unknown(step({ validate: { pattern: { spec: { '^(containers)': many } } } }, object), /more than 2000000 steps/)
  unknown(step(denyWhen('all: {{ request.object.spec.containers }}'), object), /characters as text/)
})

const doubled = (times: number, each: string, start = '@') =>
  `request.object.metadata.name | ${start}${` | ${each}`.repeat(times)}`

const bombs: readonly (readonly [string, string])[] = [
  ['lists of lists written as text', `to_string(${doubled(40, '[@,@]')})`],
  ['lists that are made flat', doubled(40, '[@,@][]', '[@]')],
  ['texts that are joined', doubled(60, "join('', [@,@])")],
  ['texts that are put into texts', doubled(60, "replace_all(@, 'p', 'ppppppppppppppppppppppppppppppp')")],
  ['lists that are compared', `(${doubled(40, '[@,@]')}) == (${doubled(40, '[@,@]')})`],
  ['expressions that are put into texts', doubled(60, "regex_replace_all('p', @, 'pppppppppppppppp')")],
]
for (const [what, expression] of bombs)
  test(`an expression that doubles: ${what}`, () => {
    unknown(step(denyWhen(`{{ ${expression} }}`)), /more than|characters/)
  })

test('what a patch writes beyond the limit is not told as the cluster’s error', () => {
  const copies = Array.from({ length: 40 }, (_, index) => ({
    op: 'copy',
    from: '/metadata',
    path: `/metadata/copy${index}`,
  }))
  const rule = (operations: readonly unknown[]) => ({ mutate: { patchesJson6902: JSON.stringify(operations) } })
  unknown(
    step(rule(copies), podOf(), 'mutate'),
    /^such a patch of the rule r \(the patch writes more than 1000000 fields\)$/,
  )
  unknown(step(rule(Array(10_001).fill(copies[0])), podOf(), 'mutate'), /has more than 10000 operations/)
  const missing = step(rule([{ op: 'copy', from: '/nowhere', path: '/metadata/x' }]), podOf(), 'mutate')
  assert.deepEqual([missing?.outcome, missing?.code], ['deny', 'admission.failed'])
})

test('an expression nested too deep, or too long, is the mistake of the policy', () => {
  for (const expression of ['!'.repeat(5_000).concat('a'), `a${'.a'.repeat(15_000)}`, '('.repeat(15_000)])
    assert.throws(() => step(denyWhen(`{{ ${expression} }}`)), CompileError)
})

test('a text of fifty thousand variables is read in one pass, and judged as far as is allowed', () => {
  const found = step({ validate: { message: '{{ request.operation }}'.repeat(50_000), deny: {} } })
  unknown(found, /still holds variables after 100/)
})

test('a value that is put into itself', () => {
  const object = podOf({}, { annotations: { a: 'x{{ request.object.metadata.annotations.a }}' } })
  unknown(step(denyWhen('y{{ request.object.metadata.annotations.a }}'), object), /still holds variables after 100/)
})

test('a context whose entries name each other comes to an end', () => {
  const context = [
    { name: 'a', variable: { jmesPath: 'b' } },
    { name: 'b', variable: { jmesPath: 'a' } },
  ]
  assert.equal(step({ context, ...denyWhen('{{ b }}') })?.code, 'admission.failed')
})

test('a foreach of a foreach over a large object ends', () => {
  const loop = (inner: object) => ({ list: 'request.object.spec.containers', elementScope: false, ...inner })
  const foreach = [
    loop({
      foreach: [loop({ deny: { conditions: { all: [{ key: '{{ element }}', operator: 'Equals', value: 'x' }] } } })],
    }),
  ]
  const containers = Array.from({ length: 2_000 }, (_, n) => ({ name: `c${n}` }))
  unknown(step({ validate: { foreach } }, podOf({ containers })), /more than 2000000 steps/)
})

test('a foreach of a foreach that changes a large object ends in less than a second', () => {
  const loop = (inner: object) => ({ list: 'request.object.spec.containers', ...inner })
  const nested = (leaf: object, count: number) => {
    const containers = Array.from({ length: count }, (_, n) => ({ name: `c${n}` }))
    return step({ mutate: { foreach: [loop({ foreach: [loop(leaf)] })] } }, podOf({ containers }), 'mutate')
  }
  for (const leaf of [
    { patchesJson6902: '- {op: add, path: "/spec/containers/{{ elementIndex1 }}/tty", value: true}' },
    { patchStrategicMerge: { spec: { containers: [{ name: '{{ element.name }}', tty: true }] } } },
  ]) {
    const took = best(1, () => unknown(nested(leaf, 3_000), /more than 2000000 steps/))
    assert.ok(took < 1_000_000, `${(took / 1_000_000).toFixed(1)} s`)
    assert.equal(nested(leaf, 20)?.code, 'admission.mutated')
  }
})

test('a JSON Patch whose YAML is a bomb', () => {
  const anchors = `a: &a [x]\n${Array.from({ length: 30 }, (_, n) => `b${n}: &b${n} [*${n === 0 ? 'a' : `b${n - 1}`}, *${n === 0 ? 'a' : `b${n - 1}`}]`).join('\n')}`
  const bomb = step({ mutate: { patchesJson6902: anchors } }, podOf(), 'mutate')
  assert.equal(bomb?.code, 'admission.failed')
})
