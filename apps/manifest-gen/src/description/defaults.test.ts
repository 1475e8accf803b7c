import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallest } from '../testing/app.js'
import { allowed, listening, wrong } from '../testing/descriptions.js'
import { readDescription } from './read.js'

test('what is left out is filled in, and short forms are written out', () => {
  const description = readDescription(
    {
      ...listening,
      callers: ['shop/sleep'],
      calls: ['demo/postgres:5432', 'demo/postgres:9187'],
      resources: { limits: { memory: '32Mi' } },
    },
    allowed,
  )
  assert.deepEqual(description, {
    ...smallest,
    newNamespace: false,
    repository: 'localhost/bulkhead/probe',
    replicas: 1,
    args: [],
    env: [],
    resources: { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '32Mi' } },
    listens: { port: 8080, servicePort: 8080, protocol: 'http' },
    callers: [{ namespace: 'shop', name: 'sleep', labels: { app: 'sleep' }, serviceAccount: 'sleep' }],
    hosts: [],
    calls: [{ namespace: 'demo', name: 'postgres', labels: { app: 'postgres' }, ports: [5432, 9187] }],
  })
})

test('images: a repository with any tag or digest, or a whole name alone', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  for (const image of [
    'localhost/bulkhead/probe:0.1.0',
    `localhost/bulkhead/probe@${digest}`,
    `localhost/bulkhead/probe:1@${digest}`,
    'docker.io/library/postgres:18.6',
  ])
    assert.deepEqual(wrong({ ...smallest, image }), [], image)
})

test('a waypoint of its own where a caller’s requests are limited, a shared one where it is named, none else', () => {
  const limited = { namespace: 'shop', name: 'sleep', methods: ['GET'] }
  assert.deepEqual(readDescription({ ...listening, callers: [limited] }, allowed).waypoint, {
    name: 'worker-app-waypoint',
    own: true,
  })
  assert.deepEqual(readDescription({ ...listening, waypoint: 'waypoint' }, allowed).waypoint, {
    name: 'waypoint',
    own: false,
  })
  assert.equal(readDescription({ ...listening, callers: ['shop/sleep'] }, allowed).waypoint, undefined)
})
