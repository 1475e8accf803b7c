import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withLogin } from './logins.js'
import { resource } from './testing.js'

const door = { service: 'gthulhu/gthulhu-gw-istio', port: 80, url: 'http://127.0.0.1:30450', hosts: ['*'] }
const secret = (annotations: Readonly<Record<string, string>>, namespace = 'gthulhu') =>
  resource({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'admin', namespace, annotations },
    stringData: { username: 'admin@example.com', note: 'x' },
  })
const made = { 'bulkhead.dev/generate': 'password', 'bulkhead.dev/tell-once': 'username, password' }

test('a door leads to the account of its namespace whose password was made and told, and to its file', () => {
  assert.deepEqual(withLogin(door, [secret({}), secret(made)], '/s'), {
    ...door,
    login: { user: 'admin@example.com', file: '/s/secrets/gthulhu/admin.json' },
  })
})

test('without such an account it stays as it is', () => {
  for (const other of [
    secret(made, 'demo'),
    secret({ 'bulkhead.dev/generate': 'password' }),
    secret({ 'bulkhead.dev/tell-once': 'username' }),
    secret({ ...made, 'bulkhead.dev/tell-once': 'password' }),
  ])
    assert.deepEqual(withLogin(door, [other], '/s'), door)
})
