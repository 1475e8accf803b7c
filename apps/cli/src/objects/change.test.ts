import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControlError } from '@bulkhead/control'
import type { Change } from '@bulkhead/scenarios'
import { deleteObjects, keyOf, type ObjectTarget } from './change.js'

const object = (apiVersion: string) => ({ apiVersion, kind: 'Thing', metadata: { name: 'a', namespace: 'shop' } })

test('an object of the files is kept out by its API group and id', async () => {
  const apiVersions = ['v1', 'example.org/v1', 'other.example.org/v1']
  const files = apiVersions.map((one) => ({ id: 'Thing/shop/a', object: object(one) }))
  const applied: (readonly [string, Change])[] = []
  const target: ObjectTarget = {
    objects: async () => files.map((one) => ({ ...one, at: 'a.yaml:1', inFiles: true })),
    changes: async () => [],
    put: async (name, change) => {
      applied.push([name, change])
      return { warnings: [] }
    },
    withdraw: async (name) => assert.fail(name),
  }
  const told: string[] = []
  await deleteObjects(target, files, (one) => told.push(`${keyOf(one)} ${one.done}`))
  assert.deepEqual(told, [
    'Thing./shop/a deleted',
    'Thing.example.org/shop/a deleted',
    'Thing.other.example.org/shop/a deleted',
  ])
  assert.deepEqual(applied, [
    ['object/core/Thing/shop/a', { without: ['Thing./shop/a'] }],
    ['object/example.org/Thing/shop/a', { without: ['Thing.example.org/shop/a'] }],
    ['object/other.example.org/Thing/shop/a', { without: ['Thing.other.example.org/shop/a'] }],
  ])
})

test('what another object needs goes after it, in whichever order they are given; what stays needed is an error', async () => {
  const names = ['settings', 'door', 'list']
  const things = names.map((name) => ({ id: `Thing/shop/${name}`, object: object('v1') }))
  const there = new Set(names)
  const target = (needs: Readonly<Record<string, string>>): ObjectTarget => ({
    objects: async () =>
      things.map((one) => ({ ...one, at: 'a.yaml:1', inFiles: false, change: one.id.split('/').at(-1) ?? '' })),
    changes: async () => [],
    put: async (name) => assert.fail(name),
    withdraw: async (name) => {
      if (there.has(needs[name] ?? '')) throw new ControlError('bad-manifests', `${needs[name]} needs ${name}`)
      there.delete(name)
    },
  })
  const told: string[] = []
  const tell = ({ id, done }: { readonly id: string; readonly done: string }) => told.push(`${id} ${done}`)
  await deleteObjects(target({ settings: 'door', door: 'list' }), things, tell)
  assert.deepEqual(told, ['Thing/shop/list deleted', 'Thing/shop/door deleted', 'Thing/shop/settings deleted'])
  there.add('door').add('settings')
  await assert.rejects(
    deleteObjects(target({ settings: 'door', door: 'settings' }), things, tell),
    /settings needs door/,
  )
  assert.deepEqual([...there], ['door', 'settings'])
})

test('what a policy makes again is told, and nothing keeps it out; what is gone is gone', async () => {
  const made = ['again', 'once'].map((name) => ({ id: `Thing/shop/${name}`, object: object('v1'), at: 'make.yaml:3' }))
  const standing: string[] = []
  const gone = new Set<string>()
  const target: ObjectTarget = {
    objects: async () => made.filter(({ id }) => !gone.has(id)).map((one) => ({ ...one, inFiles: false })),
    changes: async () => [],
    put: async (name) => {
      standing.push(name)
      if (name.endsWith('once')) gone.add('Thing/shop/once')
      return { warnings: [] }
    },
    withdraw: async (name) => void standing.splice(standing.indexOf(name), 1),
  }
  const told: unknown[] = []
  await deleteObjects(target, made, ({ done, said = [] }) => told.push([done, ...said]))
  assert.deepEqual(told, [
    [
      'deleted',
      'Warning: Thing/shop/again is there again: a policy makes it (make.yaml:3); to be rid of it, delete that policy or what it is made of first.',
    ],
    ['deleted'],
  ])
  assert.deepEqual(standing, ['object/core/Thing/shop/once'])
})
