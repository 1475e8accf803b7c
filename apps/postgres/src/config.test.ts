import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { ConfigError, readConfig } from './config.js'

const least = { POSTGRES_PASSWORD: 'right', PGDATA: '/data' }

test("the image's variables and what they are when they are not set", () => {
  assert.deepEqual(readConfig(least, ['postgres']), {
    dataDir: '/data',
    user: 'postgres',
    password: 'right',
    database: 'postgres',
    settings: {},
  })
  const { user, database } = readConfig({ ...least, POSTGRES_USER: 'hello' }, [])
  assert.deepEqual([user, database], ['hello', 'hello'])
  assert.equal(readConfig({ ...least, POSTGRES_USER: 'hello', POSTGRES_DB: 'hellodb' }, []).database, 'hellodb')
})

test('a value may come from a file, and from one place only', (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'password')
  writeFileSync(file, ' pass word\n')
  assert.equal(readConfig({ PGDATA: '/data', POSTGRES_PASSWORD_FILE: file }, []).password, ' pass word')
  const both = { ...least, POSTGRES_PASSWORD_FILE: file }
  assert.throws(() => readConfig(both, []), /both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE/)
  const gone = { PGDATA: '/data', POSTGRES_PASSWORD_FILE: join(folder, 'gone') }
  assert.throws(() => readConfig(gone, []), /POSTGRES_PASSWORD_FILE is ".*gone", and it cannot be read \(ENOENT\)/)
})

test('what is missing is named, and no value is quoted', () => {
  assert.throws(() => readConfig({ PGDATA: '/data' }, []), /no password: set POSTGRES_PASSWORD.*from a Secret/)
  assert.throws(() => readConfig({ ...least, POSTGRES_PASSWORD: '' }, []), ConfigError)
  assert.throws(
    () => readConfig({ POSTGRES_PASSWORD: 'secret' }, []),
    (error: Error) => {
      assert.match(error.message, /PGDATA is not set/)
      return !error.message.includes('secret')
    },
  )
})

test('arguments are settings, as the program takes them', () => {
  const settings = (...argv: string[]) => readConfig(least, argv).settings
  assert.deepEqual(settings('postgres', '-c', 'max_connections=20', '--work-mem=8MB', '-cport=1'), {
    max_connections: '20',
    work_mem: '8MB',
    port: '1',
  })
  assert.deepEqual(settings('-c', 'search_path=a, b=c'), { search_path: 'a, b=c' })
  for (const wrong of [['-c'], ['-c', 'x'], ['-p', '1'], ['bash'], ['postgres', 'postgres'], ['--help']]) {
    assert.throws(() => settings(...wrong), /settings are given as -c name=value/, wrong.join(' '))
  }
})
