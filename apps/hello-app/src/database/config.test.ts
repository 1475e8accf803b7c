import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import fc from 'fast-check'
import { readDatabaseUrl, readSslMode } from './config.js'

test('a URL in full, and what it leaves out', () => {
  assert.deepEqual(readDatabaseUrl('postgresql://me:p%40ss%2F@db.example:6432/shop?sslmode=verify-full'), {
    host: 'db.example',
    port: 6432,
    user: 'me',
    password: 'p@ss/',
    database: 'shop',
    sslmode: 'verify-full',
  })
  assert.deepEqual(readDatabaseUrl('postgres://db.example'), {
    host: 'db.example',
    port: 5432,
    user: 'hello',
    password: '',
    database: 'hellodb',
    sslmode: 'disable',
  })
  assert.equal(readDatabaseUrl('postgres://[::1]:5433/x').host, '::1')
})

test('a unix socket, in both of its spellings', () => {
  for (const url of ['postgresql://me:pw@/shop?host=/run/pg', 'postgresql://me:pw@%2Frun%2Fpg/shop']) {
    const { host, user, password, database } = readDatabaseUrl(url)
    assert.deepEqual([host, user, password, database], ['/run/pg', 'me', 'pw', 'shop'], url)
  }
})

test('TLS is verified, or not spoken', (t) => {
  assert.deepEqual(['disable', 'require', 'verify-ca', 'verify-full'].map(readSslMode), [
    'disable',
    'verify-full',
    'verify-full',
    'verify-full',
  ])
  for (const mode of ['prefer', 'allow']) assert.throws(() => readSslMode(mode), /plaintext/)
  assert.throws(() => readSslMode('no-verify'), /it must be disable or verify-full/)
  const folder = temporaryFolder(t)
  const file = join(folder, 'ca.pem')
  writeFileSync(file, 'PEM')
  assert.equal(readDatabaseUrl(`postgres://a@b/c?sslmode=require&sslrootcert=${file}`).ca, 'PEM')
  assert.throws(() => readDatabaseUrl(`postgres://a@b/c?sslrootcert=${file}x`), /cannot be read: ENOENT/)
})

test('what cannot be read is told without the password', () => {
  for (const url of [
    'mysql://hello:secret@db/x',
    'hello:secret@db',
    'postgres://hello:secret@db:port/x',
    'postgres://hello:secret@/x',
    'postgres://hello:secret%@db/x',
    'postgres://hello:secret@db/x?sslmode=prefer',
    'postgres://hello:secret@db/x?options=-c%20a',
  ])
    assert.throws(
      () => readDatabaseUrl(url),
      (error: Error) => error instanceof RangeError && !error.message.includes('secret'),
      url,
    )
})

test('any text is read, or refused in a sentence', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('postgres://', '@', ':', '/', '?', '%', '[', 'sslmode=', '&', '#'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        readDatabaseUrl(`postgres://${pieces.join('')}`)
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error))
      }
    }),
    { numRuns: 2_000 },
  )
})
