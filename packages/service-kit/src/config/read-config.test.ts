import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod/mini'
import { ConfigError, readConfig } from './read-config.js'
import {
  address,
  boolean,
  decimal,
  duration,
  httpUrl,
  integer,
  list,
  oneOf,
  optional,
  percentage,
  port,
  secret,
  text,
} from './settings.js'

function problems(shape: Parameters<typeof readConfig>[0], env: Record<string, string>): readonly string[] {
  try {
    readConfig(shape, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

test('every setting reads its text, and its default when the variable is absent or empty', () => {
  const shape = {
    LISTEN_ADDR: address('0.0.0.0:9090'),
    TIMEOUT: duration('30s'),
    VARIANCE: percentage('0'),
    URIS: list(''),
    KEEP_ALIVE: boolean('false'),
    LEVEL: oneOf(['info', 'debug'], 'info'),
    RATE: decimal('0'),
    WORKERS: integer('1', { min: 1 }),
    NAME: text('Service'),
    ZIPKIN: optional((value) => value),
    COLLECTOR: httpUrl('http://zipkin:9411'),
    PORT: port('8080'),
  }
  const defaults = readConfig(shape, { NAME: '', TIMEOUT: '' }).values
  assert.deepEqual(defaults.LISTEN_ADDR, { host: '0.0.0.0', port: 9090 })
  assert.equal(defaults.TIMEOUT, 30_000)
  assert.equal(defaults.NAME, 'Service')
  assert.equal(defaults.ZIPKIN, undefined)
  assert.deepEqual(defaults.URIS, [])

  const given = readConfig(shape, {
    LISTEN_ADDR: '[::1]:80',
    TIMEOUT: '1m2.5s',
    VARIANCE: '12.5%',
    URIS: ' http://a:1 ,, http://b:2,',
    KEEP_ALIVE: 'T',
    LEVEL: 'debug',
    RATE: '0.25',
    WORKERS: '4',
    ZIPKIN: 'x',
    PORT: '0',
  }).values
  assert.deepEqual(given.LISTEN_ADDR, { host: '::1', port: 80 })
  assert.equal(given.TIMEOUT, 62_500)
  assert.equal(given.VARIANCE, 12.5)
  assert.deepEqual(given.URIS, ['http://a:1', 'http://b:2'])
  assert.equal(given.KEEP_ALIVE, true)
  assert.equal(given.RATE, 0.25)
  assert.equal(given.COLLECTOR.host, 'zipkin:9411')
})

test('the effective config shows defaults as they are documented', () => {
  const { effective } = readConfig(
    { TIMEOUT: duration('30s'), NAME: text('x'), N: optional((value) => value) },
    { NAME: 'y' },
  )
  assert.deepEqual(effective, { TIMEOUT: '30s', NAME: 'y', N: '' })
})

test('all bad values are told at once, each quoted with its reason', () => {
  const shape = {
    PORT: port('80'),
    TIMEOUT: duration('1s'),
    DB_HOST: text(),
    LISTEN_ADDR: address(),
    FINE: integer('1'),
  }
  assert.deepEqual(problems(shape, { PORT: 'x', TIMEOUT: '-1s', LISTEN_ADDR: 'nowhere', FINE: '2' }), [
    'invalid env var PORT="x" (it must be a whole number)',
    'invalid env var TIMEOUT="-1s" (it must not be negative)',
    'invalid env var DB_HOST (it is not set, and it has no default)',
    'invalid env var LISTEN_ADDR="nowhere" (it must be host:port, as in 0.0.0.0:8080 or [::]:8080)',
  ])
})

test('values at the edges', () => {
  assert.deepEqual(problems({ P: port() }, { P: '65535' }), [])
  assert.deepEqual(problems({ P: port() }, { P: '65536' }), ['invalid env var P="65536" (it must be from 0 to 65535)'])
  assert.deepEqual(problems({ A: address() }, { A: 'host:99999' }), [
    'invalid env var A="host:99999" (the port must be from 0 to 65535)',
  ])
  assert.equal(problems({ A: address() }, { A: 'a b:80' }).length, 1)
  assert.equal(problems({ A: address() }, { A: '::1:80' }).length, 1)
  assert.equal(problems({ D: decimal() }, { D: 'Infinity' }).length, 1)
  assert.equal(problems({ U: httpUrl() }, { U: 'file:///etc/passwd' }).length, 1)
  assert.equal(problems({ B: boolean() }, { B: 'yes' }).length, 1)
})

test('a secret is printed neither in the effective config nor in a complaint', () => {
  const shape = { PASSWORD: secret(text()), PIN: secret(integer()), URL: text() }
  const { values, effective } = readConfig(shape, {
    PASSWORD: 'hunter2',
    PIN: '1234',
    URL: 'mongodb://root:pa%20ss@db:27017/x',
  })
  assert.equal(values.PASSWORD, 'hunter2')
  assert.deepEqual(effective, {
    PASSWORD: '[redacted]',
    PIN: '[redacted]',
    URL: 'mongodb://root:[redacted]@db:27017/x',
  })
  assert.deepEqual(problems(shape, { PASSWORD: 'x', PIN: 'hunter2', URL: 'y' }), [
    'invalid env var PIN=[redacted] (it must be a whole number)',
  ])
})

test('a plain zod schema serves as a setting', () => {
  assert.equal(readConfig({ X: z.string().check(z.minLength(2)) }, { X: 'ab' }).values.X, 'ab')
  assert.equal(problems({ X: z.string().check(z.minLength(2)) }, { X: 'a' }).length, 1)
})
