import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Snapshot, Verdict } from '@bulkhead/verdict'
import type { PublishedPort } from './cluster-types.js'
import { withPath } from './door-path.js'

const door: PublishedPort = { service: 'gthulhu/gw-istio', port: 80, url: 'http://127.0.0.1:30450', hosts: ['*'] }

test('a door is shown with the first of the usual paths that its policies let the outside ask for', () => {
  const asked: (string | undefined)[] = []
  const shown = (allowed: readonly string[], of = door) =>
    withPath(of, {} as Snapshot, ({ http }) => {
      asked.push(`${http?.method} ${http?.host}${http?.path}`)
      return { outcome: allowed.includes(http?.path ?? '') ? 'allow' : 'deny' } as Verdict
    })
  assert.deepEqual(shown(['/health']), { ...door, path: '/health' })
  assert.deepEqual(asked, ['GET www/', 'GET www/health'])
  assert.deepEqual(shown(['/', '/health']), door)
  assert.deepEqual(shown([]), door)
  // No gateway: nothing there has paths.
  const plain: PublishedPort = { ...door, hosts: [] }
  assert.deepEqual(shown(['/health'], plain), plain)
})
