import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { type Retiring, retire } from './retire.js'

/** A pod and a mesh whose words are the test's to give. */
function held() {
  const done: string[] = []
  const looked = new EventEmitter()
  const state = { approaching: 0, calls: [] as { readonly from: string; readonly to: string }[] }
  const note = (what: string) => {
    done.push(what)
    return Promise.resolve()
  }
  const pod: Retiring = {
    key: 'shop/web-1',
    ready: true,
    leave: () => void done.push('leave'),
    stop: () => note('stop'),
    remove: () => note('remove'),
  }
  const mesh = {
    listening: () => [8080],
    approaching: (key: string) => {
      looked.emit('approaching')
      return key === pod.key ? state.approaching : 0
    },
    calls: () => {
      looked.emit('calls')
      return state.calls
    },
  }
  const looks = async (of: 'approaching' | 'calls', times: number) => {
    for (let n = 0; n < times; n++) await once(looked, of)
  }
  return { done, state, pod, mesh, looks }
}

test('a pod is not told to end before what was sent to it has arrived, however long that takes', async () => {
  const { done, state, pod, mesh, looks } = held()
  state.approaching = 1
  const retired = retire(pod, mesh)
  // Far longer than what is on its way takes on a machine that is not busy.
  await looks('approaching', 40)
  assert.deepEqual(done, ['leave'])
  state.approaching = 0
  await retired
  assert.deepEqual(done, ['leave', 'stop', 'remove'])
})

test('a pod leaves the mesh when its last words have been carried, however long that takes', async () => {
  const { done, state, pod, mesh, looks } = held()
  state.calls = [{ from: 'shop/sleep-1', to: pod.key }]
  const retired = retire(pod, mesh)
  await looks('calls', 40)
  assert.deepEqual(done, ['leave', 'stop'])
  state.calls = [{ from: 'shop/sleep-1', to: 'shop/another' }]
  await retired
  assert.deepEqual(done, ['leave', 'stop', 'remove'])
})

test('what never arrives, and what never ends, keeps no pod for good', async () => {
  const { done, state, pod, mesh } = held()
  state.approaching = 1
  state.calls = [{ from: pod.key, to: 'shop/another' }]
  await retire(pod, mesh, { arrival: 3, drain: 3 })
  assert.deepEqual(done, ['leave', 'stop', 'remove'])
})
