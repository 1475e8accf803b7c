import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { ConfigError, readConfig } from './config.js'

const least = { MONGO_INITDB_ROOT_USERNAME: 'root', MONGO_INITDB_ROOT_PASSWORD: 'right', MONGO_DBPATH: '/volume' }

test("the image's variables, and mongod's arguments as a StatefulSet has them", (t) => {
  assert.deepEqual(readConfig(least, ['mongod']), {
    dataDir: '/volume',
    host: '0.0.0.0',
    port: 27017,
    root: { user: 'root', password: 'right' },
  })
  const keyFile = join(temporaryFolder(t), 'keyfile')
  writeFileSync(keyFile, 'c2VjcmV0LW9mLXRoZS1zZXQ=\n')
  const argv = [
    'mongod',
    '--replSet',
    'rs0',
    '--keyFile',
    keyFile,
    '--bind_ip_all',
    '--dbpath=/data/db/',
    '--port',
    '0',
  ]
  assert.deepEqual(readConfig(least, argv), {
    dataDir: '/volume',
    host: '0.0.0.0',
    port: 0,
    root: { user: 'root', password: 'right' },
    replicaSet: { name: 'rs0' },
  })
  assert.equal(readConfig({ ...least, MONGO_DBPATH: undefined }, []).dataDir, '/data/db')
  assert.equal(readConfig(least, ['--bind_ip', '127.0.0.1']).host, '127.0.0.1')
  assert.equal(readConfig(least, ['--bind_ip', 'localhost,10.0.0.1']).host, '0.0.0.0')
  assert.equal(readConfig(least, ['--dbpath', '/elsewhere']).dataDir, '/elsewhere')
})

test('a value may come from a file, and from one place only', (t) => {
  const file = join(temporaryFolder(t), 'password')
  writeFileSync(file, ' pass word\n')
  const { MONGO_INITDB_ROOT_PASSWORD: _, ...rest } = least
  const read = (env: object, argv: string[] = []) => readConfig(env as Record<string, string>, argv)
  assert.equal(read({ ...rest, MONGO_INITDB_ROOT_PASSWORD_FILE: file }).root.password, ' pass word')
  assert.throws(
    () => read({ ...least, MONGO_INITDB_ROOT_PASSWORD_FILE: file }),
    /both MONGO_INITDB_ROOT_PASSWORD and MONGO_INITDB_ROOT_PASSWORD_FILE/,
  )
  assert.throws(
    () => read({ ...rest, MONGO_INITDB_ROOT_PASSWORD_FILE: `${file}.gone` }),
    /_FILE is ".*gone", and it cannot be read \(ENOENT\)/,
  )
})

test('what is missing is named, and no value is quoted', () => {
  assert.throws(
    () => readConfig({}, []),
    /set MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD, .*from a Secret/,
  )
  assert.throws(
    () => readConfig({ MONGO_INITDB_ROOT_PASSWORD: 'hidden' }, []),
    (error: Error) => /set MONGO_INITDB_ROOT_USERNAME, or/.test(error.message) && !error.message.includes('hidden'),
  )
  assert.throws(() => readConfig({ MONGO_INITDB_ROOT_USERNAME: 'root' }, []), ConfigError)
})

test('arguments that are not understood are told, and a replica set without a key file, as mongod does', (t) => {
  const file = join(temporaryFolder(t), 'keyfile')
  writeFileSync(file, 'not base 64!')
  const wrong: readonly [readonly string[], RegExp][] = [
    [['--fork'], /"--fork" is not understood.*--replSet/],
    [['mongod', 'mongod'], /"mongod" is not understood/],
    [['--bind_ip_all=yes'], /not understood/],
    [['--dbpath'], /--dbpath has no value/],
    [['--port', '70000'], /"70000"; it must be a port/],
    [['--replSet', 'rs0'], /needs --keyFile/],
    [['--replSet', 'rs0', '--keyFile', file], /does not hold 6 to 1024 characters of Base64/],
  ]
  for (const [argv, expected] of wrong) assert.throws(() => readConfig(least, argv), expected, argv.join(' '))
})
