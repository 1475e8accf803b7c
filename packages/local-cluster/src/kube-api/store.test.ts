import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Store } from './store.js'
import type { ApiObject } from './types.js'

const pod = (name: string, phase = 'Running', uid = name): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid, creationTimestamp: '' },
  spec: {},
  status: { phase },
})
const all = (...pods: readonly ApiObject[]) => new Map(pods.map((one) => [`shop/${one.metadata.name}`, one]))
const told = (store: Store, from: number) =>
  store.since(from)?.map(({ type, version, stored }) => `${type} ${stored.object.metadata.name} ${version - 100}`)

test('only what has changed is a change, and each has a version of its own', () => {
  const store = new Store({ firstVersion: 100 })
  store.put('pods', all(pod('a'), pod('b')))
  store.put('pods', all(pod('a'), pod('b')))
  store.put('pods', all(pod('a', 'Failed'), pod('b')))
  store.put('pods', all(pod('b')))
  assert.deepEqual(told(store, 100), ['ADDED a 1', 'ADDED b 2', 'MODIFIED a 3', 'DELETED a 4'])
  assert.deepEqual(told(store, 103), ['DELETED a 4'])
  assert.equal(store.version, 104)
  const { resourceVersion } = store.get('pods', 'shop/b')?.object.metadata ?? {}
  assert.equal(resourceVersion, '102')
  assert.equal(JSON.parse(store.get('pods', 'shop/b')?.json ?? '').metadata.resourceVersion, '102')
})

test('a pod that is made anew under its name is another one', () => {
  const store = new Store({ firstVersion: 100 })
  store.put('pods', all(pod('a', 'Running', 'first')))
  store.put('pods', all(pod('a', 'Running', 'second')))
  assert.deepEqual(told(store, 101), ['DELETED a 2', 'ADDED a 3'])
})

test('what is too long ago, or of another run, is not known any more', () => {
  const store = new Store({ firstVersion: 100, kept: 2 })
  assert.equal(told(store, 99), undefined)
  assert.deepEqual(told(store, 100), [])
  store.put('pods', all(pod('a'), pod('b')))
  assert.deepEqual(told(store, 100), ['ADDED a 1', 'ADDED b 2'])
  store.put('pods', all(pod('a')))
  assert.equal(told(store, 100), undefined)
  assert.deepEqual(told(store, 101), ['ADDED b 2', 'DELETED b 3'])
})

test('a list that is read page by page stays as it was, and not for ever', () => {
  const store = new Store({ firstVersion: 100 })
  store.put('pods', all(pod('b'), pod('a')))
  const page = store.page('pods')
  assert.deepEqual(
    page.items.map(({ key }) => key),
    ['shop/a', 'shop/b'],
  )
  store.keep('pods', page)
  store.put('pods', all())
  assert.equal(store.kept('pods', 102), page)
  for (let n = 0; n < 32; n++) {
    store.put('pods', all(pod(`x${n}`)))
    store.keep('pods', store.page('pods'))
  }
  assert.equal(store.kept('pods', 102), undefined)
})
