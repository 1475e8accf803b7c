import assert from 'node:assert/strict'
import { test } from 'node:test'
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
