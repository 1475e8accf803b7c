import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { deployment, map, policy, ruling } from '../testing/admission.js'
import { resource } from '../testing.js'
import { type Held, keptOf, nothingHeld, podlessOf, refusalsOf, storedOf } from './entries.js'
import { pass } from './gate.js'
import { admittedOf, predicted } from './whole.js'

const ids = (resources: readonly Resource[]) => resources.map(({ id }) => id)

/** A field of an object. */
const partOf = (resource: Resource | undefined, ...path: string[]): unknown =>
  path.reduce((value: unknown, key) => Object(value)[key], resource?.object)
const refused = (held: Held) => refusalsOf(held).map(({ id, message }) => `${id}: ${message}`)

/** Puts sets of objects in force, one after the other. */
function gate(made?: Parameters<typeof ruling>[0]) {
  const rules = ruling(made)
  let held = nothingHeld
  return {
    ...rules,
    held: () => held,
    async put(wanted: readonly Resource[], how: 'ask' | 'back' | 'as-before' = 'ask', written = wanted) {
      const passed = await pass(rules.engine, held, { wanted, written, how })
      held = passed.held
      return passed
    },
    stored: () => ids(storedOf(held)),
  }
}

test('at the start policies are there first, and every other object is asked of them once, namespaces before the rest and pods last', async () => {
  const { put, asked, stored, compiled } = gate()
  const shop = resource({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const no = policy('no', { to: 'ConfigMap/shop/b', does: 'refuse' })
  await put([deployment('web'), map('a'), map('b'), shop, no])
  assert.deepEqual(asked(), [
    'CREATE Namespace/shop',
    'CREATE ConfigMap/shop/a',
    'CREATE ConfigMap/shop/b',
    'CREATE Deployment/shop/web',
  ])
  assert.deepEqual(stored(), ['Deployment/shop/web', 'ConfigMap/shop/a', 'Namespace/shop', 'ValidatingPolicy/no'])
  assert.deepEqual(compiled[0], ['no'])
})

test('on a save only what is new or changed is asked, with what was there; what is refused stays as it was', async () => {
  const { put, asked, stored, held } = gate()
  const no = policy('no', { to: 'ConfigMap/shop/a', on: ['UPDATE'], does: 'refuse' })
  await put([no, map('a', { n: '1' }), map('b')])
  asked()
  await put([no, map('a', { n: '2' }), map('b'), map('c')])
  assert.deepEqual(asked(), ['UPDATE ConfigMap/shop/a was {"n":"1"}', 'CREATE ConfigMap/shop/c'])
  assert.deepEqual(stored(), ['ValidatingPolicy/no', 'ConfigMap/shop/a', 'ConfigMap/shop/b', 'ConfigMap/shop/c'])
  const [a] = storedOf(held()).filter(({ name }) => name === 'a')
  assert.deepEqual(partOf(a, 'data'), { n: '1' })
  const [told] = refusalsOf(held())
  assert.deepEqual(
    [told?.message, told?.operation, told?.refused, told?.stays, told?.policy, told?.objectAt],
    ['no says no to a', 'UPDATE', 'object', true, 'ValidatingPolicy/no', 'test.yaml:7:1'],
  )
  // It is asked again for as long as it is written, and forgotten when what is in force is written again.
  await put([no, map('a', { n: '2' }), map('b'), map('c')])
  assert.deepEqual(asked(), ['UPDATE ConfigMap/shop/a was {"n":"1"}'])
  await put([no, map('a', { n: '1' }), map('b'), map('c')])
  assert.deepEqual([asked(), refused(held())], [[], []])
})

test('what is refused is told once, and again when it has been written otherwise and that was not enough', async () => {
  const { put, held } = gate()
  const no = policy('no', { to: 'ConfigMap/shop/a', does: 'refuse' })
  const told = async (wanted: readonly Resource[]) => {
    const before = held()
    const { news, warnings, refused: all } = admittedOf(before, await put(wanted))
    return [news.map(({ message }) => message), warnings, all.length]
  }
  assert.deepEqual(await told([no, map('a')]), [['no says no to a'], ['a is warned of'], 1])
  assert.deepEqual(await told([no, map('a'), map('b')]), [[], [], 1])
  assert.deepEqual(await told([no, map('a', { n: '2' }), map('b')]), [['no says no to a'], ['a is warned of'], 1])
})

test('a new object that is refused is not there, and is let in when the policy is gone', async () => {
  const { put, asked, stored, held } = gate()
  const no = policy('no', { to: 'ConfigMap/shop/a', does: 'refuse' })
  await put([no, map('a')])
  assert.deepEqual([stored(), refused(held())], [['ValidatingPolicy/no'], ['ConfigMap/shop/a: no says no to a']])
  asked()
  await put([map('a')])
  assert.deepEqual(asked(), ['DELETE ValidatingPolicy/no', 'CREATE ConfigMap/shop/a'])
  assert.deepEqual([stored(), refused(held())], [['ConfigMap/shop/a'], []])
})

test('a policy that comes with an object decides on it, and not on what is there', async () => {
  const { put, stored, held } = gate()
  await put([map('a')])
  await put([map('a'), map('ab'), policy('no', { to: 'ConfigMap/shop/a', does: 'refuse' })])
  assert.deepEqual(stored(), ['ConfigMap/shop/a', 'ValidatingPolicy/no'])
  assert.deepEqual(refused(held()), ['ConfigMap/shop/ab: no says no to ab'])
})

test('a policy is asked of the policies before it: one that is refused decides on nothing', async () => {
  const { put, stored, held } = gate()
  const guard = policy('guard', { to: 'ValidatingPolicy/', does: 'refuse' })
  await put([guard])
  await put([guard, policy('no', { to: 'ConfigMap/', does: 'refuse' }), map('a')])
  assert.deepEqual(stored(), ['ValidatingPolicy/guard', 'ConfigMap/shop/a'])
  assert.deepEqual(refused(held()), ['ValidatingPolicy/no: guard says no to no'])
})

test('what a policy looks up is what was let in', async () => {
  const { put, stored, held } = gate()
  const no = policy('no', { to: 'ConfigMap/shop/a', does: 'refuse' })
  const needs = policy('needs', { to: 'Deployment/', does: 'refuse', where: 'ConfigMap/shop/a' })
  await put([no, needs, map('a'), deployment('web')])
  assert.deepEqual(stored(), ['ValidatingPolicy/no', 'ValidatingPolicy/needs', 'Deployment/shop/web'])
  assert.deepEqual(refused(held()), ['ConfigMap/shop/a: no says no to a'])
})

test('what may be deleted is asked of the policies that were there', async () => {
  const { put, asked, stored, held } = gate()
  const keep = policy('keep', { to: 'ConfigMap/', on: ['DELETE'], does: 'refuse' })
  await put([keep, map('a'), map('b', {}, '20-network')])
  asked()
  await put([keep, map('b', {}, '20-network')])
  assert.deepEqual(asked(), ['DELETE ConfigMap/shop/a'])
  assert.deepEqual(
    [stored().includes('ConfigMap/shop/a'), refused(held())],
    [true, ['ConfigMap/shop/a: keep says no to a']],
  )
  assert.equal(refusalsOf(held())[0]?.stays, true)
  await put([keep, map('a'), map('b', {}, '20-network')])
  assert.deepEqual(refused(held()), [])
  await put([])
  assert.deepEqual(stored().sort(), ['ConfigMap/shop/a', 'ConfigMap/shop/b'])
})

test('a change that is withdrawn brings back what it hid, unasked', async () => {
  const { put, asked, stored, held } = gate()
  const [old, no] = [map('a', { n: '1' }), policy('no', { to: 'ConfigMap/', does: 'refuse' })]
  const written = [old, no, map('a', { n: '2' })]
  await put([old])
  await put([map('a', { n: '2' })], 'ask', written)
  await put([map('a', { n: '2' }), no], 'ask', written)
  asked()
  await put([map('a', { n: '1' }), no], 'back', written)
  assert.deepEqual([asked(), stored(), refused(held())], [[], ['ConfigMap/shop/a', 'ValidatingPolicy/no'], []])
  // Somebody who writes it anew is asked.
  await put([no], 'as-before', written)
  await put([no, old], 'ask', written)
  assert.deepEqual(asked(), ['CREATE ConfigMap/shop/a'])
})

test('what a policy mutated is kept so, has not changed at the next save, and follows its file', async () => {
  const { put, asked, held } = gate()
  const mark = policy('mark', { to: 'ConfigMap/', does: 'mark' })
  await put([mark, map('a')])
  assert.deepEqual(partOf(storedOf(held())[1], 'data'), { marked: 'yes' })
  asked()
  await put([mark, { ...map('a'), position: () => ({ file: 'moved.yaml', line: 1, column: 1 }) }])
  assert.deepEqual(asked(), [])
  assert.equal(storedOf(held())[1]?.position([]).file, 'moved.yaml')
  await put([mark, map('a', { n: '2' })])
  assert.deepEqual(asked(), ['UPDATE ConfigMap/shop/a was {"marked":"yes"}'])
})

test('what a policy makes of an object is there for as long as the object, unless somebody wrote it', async () => {
  const { put, stored, held } = gate()
  const make = policy('make', { to: 'ConfigMap/shop/a', on: ['CREATE'], does: 'make' })
  await put([make, map('a')])
  assert.deepEqual(stored(), ['ValidatingPolicy/make', 'ConfigMap/shop/a', 'ConfigMap/of-a'])
  await put([make, map('a', { n: '2' })])
  assert.equal(stored().includes('ConfigMap/of-a'), true)
  const own = resource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-a' }, data: { own: 'yes' } })
  await put([make, map('a', { n: '2' }), own])
  assert.deepEqual(stored(), ['ValidatingPolicy/make', 'ConfigMap/shop/a', 'ConfigMap/of-a'])
  assert.deepEqual(partOf(storedOf(held())[2], 'data'), { own: 'yes' })
  await put([make])
  assert.deepEqual(stored(), ['ValidatingPolicy/make'])
})

test('what a policy makes is asked about as whoever makes it, and is not there where that is refused', async () => {
  const { put, asked, stored, held } = gate()
  const make = policy('make', { to: 'ConfigMap/shop/a', does: 'make' })
  const no = policy('no', { to: 'ConfigMap/of-a', does: 'refuse' })
  const background = 'system:serviceaccount:kyverno:kyverno-background-controller'
  await put([make, no, map('a')])
  assert.deepEqual(asked(), ['CREATE ConfigMap/shop/a', `CREATE ConfigMap/of-a as ${background}`])
  assert.deepEqual(stored(), ['ValidatingPolicy/make', 'ValidatingPolicy/no', 'ConfigMap/shop/a'])
  assert.deepEqual(refused(held()), ['ConfigMap/of-a: no says no to of-a'])
  await put([make, map('a', { n: '2' })])
  assert.deepEqual(asked(), [
    'DELETE ValidatingPolicy/no',
    'UPDATE ConfigMap/shop/a was {}',
    `CREATE ConfigMap/of-a as ${background}`,
  ])
  assert.deepEqual([stored().at(-1), refused(held())], ['ConfigMap/of-a', []])
  // As it is to be it is there: nobody makes it again.
  await put([make, map('a', { n: '3' })])
  assert.deepEqual(asked(), ['UPDATE ConfigMap/shop/a was {"n":"2"}'])
})

test('what a policy keeps as it says goes with the policy, and what it made once stays', async () => {
  for (const goes of [true, false]) {
    const { put, stored, compiled, asked } = gate()
    const make = policy('make', { to: 'ConfigMap/shop/a', does: 'make', goes })
    const a = map('a')
    await put([make, a])
    assert.deepEqual(stored(), ['ValidatingPolicy/make', 'ConfigMap/shop/a', 'ConfigMap/of-a'])
    asked()
    await put([make, a, map('b')])
    assert.equal(stored().includes('ConfigMap/of-a'), true)
    await put([a])
    assert.deepEqual(stored(), goes ? ['ConfigMap/shop/a'] : ['ConfigMap/shop/a', 'ConfigMap/of-a'])
    assert.deepEqual(compiled.at(-1), [])
    assert.deepEqual(asked(), ['CREATE ConfigMap/shop/b', 'DELETE ValidatingPolicy/make', 'DELETE ConfigMap/shop/b'])
    // A policy that comes back acts on what is asked about from then on.
    await put([make, a])
    assert.equal(stored().includes('ConfigMap/of-a'), !goes)
  }
})

test('a policy whose end is refused keeps what it made', async () => {
  const { put, stored } = gate()
  const make = policy('make', { to: 'ConfigMap/shop/a', does: 'make', goes: true })
  const guard = policy('guard', { to: 'ValidatingPolicy/make', on: ['DELETE'], does: 'refuse' })
  await put([make, guard, map('a')])
  await put([guard, map('a')])
  assert.deepEqual(stored().at(-1), 'ConfigMap/of-a')
})

test('what is asked for the sake of asking is asked as if it were new, and nothing of it is kept', async () => {
  const { put, asked, engine, held } = gate()
  const no = policy('no', { to: 'ConfigMap/shop/a', does: 'refuse' })
  await put([map('a')])
  await put([map('a'), no])
  asked()
  const before = held()
  const wanted = [map('a'), no, map('b')]
  const said = await predicted(engine, before, { wanted, written: wanted, of: [map('b'), map('a')], user: undefined })
  assert.deepEqual(asked(), ['CREATE ConfigMap/shop/a', 'CREATE ConfigMap/shop/b'])
  assert.deepEqual(
    said.map(({ outcome, object }) => [object.name, outcome]),
    [
      ['b', 'allow'],
      ['a', 'deny'],
    ],
  )
  assert.equal(held(), before)
})

test('a workload whose pods are refused is there without them, until its template or the policy lets them in', async () => {
  const { put, asked, stored, held } = gate()
  const no = policy('no', { to: 'Deployment/shop/web', does: 'refuse-pods' })
  await put([no, deployment('web'), deployment('db')])
  assert.deepEqual(stored(), ['ValidatingPolicy/no', 'Deployment/shop/web', 'Deployment/shop/db'])
  assert.deepEqual([...podlessOf(held()).keys()], ['shop/web'])
  assert.deepEqual(
    [refusalsOf(held())[0]?.refused, refused(held())],
    ['pods', ['Deployment/shop/web: no says no to web-1']],
  )
  asked()
  await put([deployment('web'), deployment('db')])
  assert.deepEqual([asked(), podlessOf(held()).size], [['DELETE ValidatingPolicy/no', 'UPDATE Deployment/shop/web'], 0])
})

test('of a workload whose pods run only new ones are asked: another template or more of them', async () => {
  const { put, held } = gate()
  const no = policy('no', { to: 'Deployment/shop/web', does: 'refuse-pods' })
  await put([deployment('web', 'one', 2)])
  await put([no, deployment('web', 'one', 1)])
  assert.equal(podlessOf(held()).size, 0)
  await put([no, deployment('web', 'one', 0)])
  assert.equal(podlessOf(held()).size, 0)
  await put([no, deployment('web', 'two', 0), deployment('web-new', 'one', 0)])
  assert.equal(podlessOf(held()).size, 0)
  await put([no, deployment('web', 'two', 3)])
  assert.deepEqual([...podlessOf(held()).keys()], ['shop/web'])
})

test('pods that a policy mutated run so, and the workload is told as it is', async () => {
  const { put, held } = gate()
  await put([policy('mark', { to: 'Deployment/', does: 'mark-pods' }), deployment('web')])
  const labels = (as: 'stored' | 'running') => partOf(storedOf(held(), as)[1], 'spec', 'template', 'metadata', 'labels')
  assert.deepEqual(
    [labels('stored'), labels('running')],
    [
      { app: 'web', word: 'one' },
      { app: 'web', marked: 'yes' },
    ],
  )
})

test('what is not modelled is not let in, and says so', async () => {
  const { put, stored, held } = gate()
  await put([policy('odd', { to: 'ConfigMap/', does: 'doubt' }), map('a')])
  assert.deepEqual(stored(), ['ValidatingPolicy/odd'])
  const [told] = refusalsOf(held())
  assert.deepEqual([told?.outcome, told?.policy], ['unknown', 'ValidatingPolicy/odd'])
  assert.match(told?.message ?? '', /not known here: odd\(\) is not modelled$/)
})

test('what istiod makes of a Gateway is asked as istiod, once, and its pods may be refused', async () => {
  const made = (resources: readonly Resource[]) =>
    resources.filter(({ name }) => name === 'gate').map(() => deployment('gate-istio'))
  const { put, asked, stored, held } = gate(made)
  await put([map('gate')])
  assert.deepEqual(asked(), [
    'CREATE ConfigMap/shop/gate',
    'CREATE Deployment/shop/gate-istio as system:serviceaccount:istio-system:istiod',
  ])
  const no = policy('no', { to: 'Deployment/', does: 'refuse' })
  await put([map('gate'), no])
  assert.deepEqual([asked(), podlessOf(held()).size], [['CREATE ValidatingPolicy/no'], 0])
  await put([no])
  await put([no, map('gate', { again: 'yes' })])
  assert.deepEqual(
    [[...podlessOf(held()).keys()], stored()],
    [['shop/gate-istio'], ['ValidatingPolicy/no', 'ConfigMap/shop/gate']],
  )
})

test('what istiod may not change stays as it was for as long as that is refused', async () => {
  const made = (resources: readonly Resource[]) =>
    resources.flatMap(({ name, object }) => {
      const { word } = Object(object).data ?? {}
      return name === 'gate' ? [deployment('gate-istio', word)] : []
    })
  const { put, held } = gate(made)
  const words = () => keptOf(held()).map((one) => partOf(one, 'spec', 'template', 'metadata', 'labels', 'word'))
  const no = policy('no', { to: 'Deployment/', on: ['UPDATE'], does: 'refuse' })
  await put([map('gate', { word: 'one' })])
  await put([no, map('gate', { word: 'one' })])
  assert.deepEqual([words(), refused(held())], [[], []])
  for (const word of ['two', 'three']) {
    await put([no, map('gate', { word })])
    assert.deepEqual([words(), podlessOf(held()).size], [['one'], 0])
    assert.deepEqual(refused(held()), ['Deployment/shop/gate-istio: no says no to gate-istio'])
  }
  await put([no, map('gate', { word: 'one' })])
  assert.deepEqual([words(), refused(held())], [[], []])
  await put([no, map('gate', { word: 'two' })])
  await put([map('gate', { word: 'two' })])
  assert.deepEqual([words(), refused(held())], [[], []])
})

test('policies are compiled once where nothing turns out otherwise than before', async () => {
  const { put, compiled } = gate()
  const no = policy('no', { to: 'ConfigMap/shop/a', does: 'refuse' })
  await put([no, map('a'), map('b')])
  assert.equal(compiled.length, 2)
  const b = map('b', { n: '2' })
  await put([no, map('a'), b])
  assert.equal(compiled.length, 3)
  await put([map('a'), b])
  assert.equal(compiled.length, 5)
  await put([map('a'), b])
  // What says the same elsewhere has another place to tell.
  assert.equal(compiled.length, 6)
  const all = [map('a'), b]
  await put(all)
  await put(all)
  assert.equal(compiled.length, 7)
  await put(all.slice(1))
  assert.equal(compiled.length, 8)
})

test('what istiod makes of a Gateway is as it was, where nothing else is', async () => {
  const gateway = resource({ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'g' } })
  const { put, compiled, held } = gate((resources) =>
    resources.flatMap(({ kind }) => (kind === 'Gateway' ? [deployment('g-istio')] : [])),
  )
  const all = [map('a'), gateway]
  await put(all)
  const [before, many] = [held(), compiled.length]
  await put(all)
  assert.deepEqual([compiled.length, held().made], [many, before.made])
  assert.equal(held().policies, before.policies)
  await put([gateway])
  assert.deepEqual([compiled.length, [...held().made.keys()]], [many + 1, [...before.made.keys()]])
})

test('what a policy has mutated into no object is refused', async () => {
  const { put, stored, held } = gate()
  await put([policy('mark', { to: 'ConfigMap/', does: 'mark' }), map('broken'), map('a')])
  assert.deepEqual(stored(), ['ValidatingPolicy/mark', 'ConfigMap/shop/a'])
  assert.deepEqual(refused(held()), [
    'ConfigMap/shop/broken: ConfigMap "broken" is invalid once policies have mutated it: unknown field "broken"',
  ])
})

test('what a policy is to make and is no object is told, and not there', async () => {
  const { put, stored, held } = gate()
  await put([policy('make', { to: 'ConfigMap/', does: 'make' }), map('broken')])
  assert.deepEqual(stored(), ['ValidatingPolicy/make', 'ConfigMap/shop/broken'])
  assert.deepEqual(refused(held()), [
    'ConfigMap/of-broken: ConfigMap "of-broken", which the policy here is to make, is invalid: unknown field "broken"',
  ])
})
