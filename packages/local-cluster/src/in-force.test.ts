import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inForce, objectsInForce, putBack } from './in-force.js'
import { resource } from './testing.js'

const object = (name: string, layer?: string, apiVersion = 'v1') =>
  resource({ apiVersion, kind: 'Thing', metadata: { name, namespace: 'shop' }, from: layer ?? 'change' }, layer)
const base = [object('a'), object('b', '50-identity'), object('c', '40-mtls')]
const names = (resources: readonly { id: string }[]) => resources.map(({ id }) => id.split('/').at(-1))

test('layers that are off are left out; changes are put on top, in their order', () => {
  assert.deepEqual(names(inForce(base, new Set(), [])), ['a', 'b', 'c'])
  assert.deepEqual(names(inForce(base, new Set(['50-identity']), [])), ['a', 'c'])
  const out = { objects: [], without: new Set(['Thing/shop/a', 'Thing/shop/not-there']) }
  const back = { objects: [object('a'), object('d')], without: new Set<string>() }
  assert.deepEqual(names(inForce(base, new Set(), [out])), ['b', 'c'])
  assert.deepEqual(names(inForce(base, new Set(), [out, back])), ['b', 'c', 'a', 'd'])
  assert.deepEqual(names(inForce(base, new Set(), [back, out])), ['b', 'c', 'd'])
})

test('an object replaces its namesake of the same group, and of no other', () => {
  const change = (apiVersion: string) => ({ objects: [object('b', undefined, apiVersion)], without: new Set<string>() })
  assert.deepEqual(names(inForce(base, new Set(), [change('v1')])), ['a', 'b', 'c'])
  assert.deepEqual(
    inForce(base, new Set(), [change('v1')]).map(({ object }) => (object as { from?: string }).from),
    ['change', 'change', '40-mtls'],
  )
  assert.deepEqual(names(inForce(base, new Set(), [change('example.org/v1')])), ['a', 'b', 'c', 'b'])
})

test('an id with its API group takes out the object of that group, a plain one those of all groups', () => {
  const both = [object('a'), object('a', undefined, 'example.org/v1'), object('a', undefined, 'other.example.org/v1')]
  const left = (id: string) =>
    inForce(both, new Set(), [{ objects: [], without: new Set([id]) }]).map(({ object }) => object.apiVersion)
  assert.deepEqual(left('Thing.example.org/shop/a'), ['v1', 'other.example.org/v1'])
  assert.deepEqual(left('Thing./shop/a'), ['example.org/v1', 'other.example.org/v1'])
  assert.deepEqual(left('Thing/shop/a'), [])
  assert.deepEqual(left('Thing.nobodys.example.org/shop/a').length, 3)
})

test('a change that is put back stands below those that stood on it, and below those that came meanwhile', () => {
  const before = new Map([
    ['first', 1],
    ['second', 2],
    ['third', 3],
  ])
  const now = new Map([
    ['first', 1],
    ['third', 3],
    ['newer', 4],
  ])
  assert.deepEqual([...putBack(now, 'second', before).keys()], ['first', 'second', 'third', 'newer'])
  assert.deepEqual([...putBack(new Map([['newer', 4]]), 'third', before).keys()], ['third', 'newer'])
  assert.equal(putBack(now, 'third', before), now, 'it stands already')
})

test('what is told of a Secret is its keys, and not what they hold; what is in force has them', () => {
  const secret = resource({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace: 'shop' },
    data: { a: 'aGlkZGVu' },
    stringData: { b: 'hidden' },
  })
  const [told] = objectsInForce([secret], { base: [secret], off: new Set(), changes: new Map() })
  assert.deepEqual(told?.object, { ...secret.object, data: { a: '(not shown)' }, stringData: { b: '(not shown)' } })
  assert.deepEqual(secret.object, { ...secret.object, stringData: { b: 'hidden' } })
})
