import assert from 'node:assert/strict'
import { test } from 'node:test'
import { descriptionOf, fieldOf } from './client/lines.js'

const rest = { name: ' worker-app ', namespace: 'demo', image: 'localhost/bulkhead/probe:0.1.0' }
const trimmed = { ...rest, name: 'worker-app' }

test('what is empty is left out, and a number is one', () => {
  assert.deepEqual(descriptionOf({ ...rest, port: '', callers: ' \n\n', env: '\n', newNamespace: false }), trimmed)
  assert.deepEqual(descriptionOf({ ...rest, port: ' 8080', replicas: 'two', newNamespace: true }), {
    ...trimmed,
    newNamespace: true,
    port: 8080,
    replicas: 'two',
  })
})

test('callers: one a line, with methods and paths behind', () => {
  const { callers } = descriptionOf({
    ...rest,
    callers: 'shop/sleep\n  shop/web-api GET,HEAD  /a/* /b\ndemo/x /c\nnonsense here',
  })
  assert.deepEqual(callers, [
    'shop/sleep',
    { namespace: 'shop', name: 'web-api', methods: ['GET', 'HEAD'], paths: ['/a/*', '/b'] },
    { namespace: 'demo', name: 'x', paths: ['/c'] },
    { namespace: 'nonsense', name: '', methods: ['here'] },
  ])
})

test('calls: with a port, and behind a waypoint', () => {
  const { calls } = descriptionOf({ ...rest, calls: 'demo/postgres:5432\nshop/web-api:8080 via waypoint GET /\nx via' })
  assert.deepEqual(calls, [
    'demo/postgres:5432',
    { namespace: 'shop', name: 'web-api', port: 8080, waypoint: 'waypoint', methods: ['GET'], paths: ['/'] },
    { namespace: 'x', name: '', port: '', waypoint: '' },
  ])
})

test('hosts: one a line', () => {
  assert.deepEqual(descriptionOf({ ...rest, hosts: ' a.example \n\nb.example' }).hosts, ['a.example', 'b.example'])
})

test('arguments: one a line, spaces within one its own', () => {
  const { args } = descriptionOf({ ...rest, args: 'listen\n http:8080 \n\nsay a b' })
  assert.deepEqual(args, ['listen', 'http:8080', 'say a b'])
})

test('variables: a value is all that stands behind the first =', () => {
  const { env } = descriptionOf({ ...rest, env: 'A= b=c \n B =\nC' })
  assert.deepEqual(env, [{ name: 'A', value: ' b=c ' }, { name: 'B', value: '' }, { name: 'C' }])
})

test('a problem belongs to the field of the form that it is in', () => {
  assert.deepEqual(['callers[0].labels.app', 'name', '["x"]'].map(fieldOf), ['callers', 'name', ''])
})
