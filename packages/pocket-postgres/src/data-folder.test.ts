import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { disownPid, holdsData, readPidFile } from './data-folder.js'

test('a folder that is empty, or is not there yet, holds no data', (t) => {
  const folder = temporaryFolder(t)
  assert.equal(holdsData(folder), false)
  assert.equal(holdsData(join(folder, 'claim', '18', 'docker')), false)
  assert.ok(existsSync(join(folder, 'claim', '18')))
})

test('data of another major version is refused, and left as it is', (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'PG_VERSION'), '18\n')
  assert.equal(holdsData(folder), true)
  writeFileSync(join(folder, 'PG_VERSION'), '17\n')
  assert.throws(() => holdsData(folder), {
    code: 'version',
    message: /data of PostgreSQL 17, and this is PostgreSQL 18/,
  })
  assert.equal(readFileSync(join(folder, 'PG_VERSION'), 'utf8'), '17\n')
})

test('a folder with other things in it, or no folder, is refused', (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'holiday'))
  assert.throws(() => holdsData(folder), { code: 'data-folder', message: /no data folder of PostgreSQL.*"holiday"/ })
  const file = join(folder, 'file')
  writeFileSync(file, '')
  assert.throws(() => holdsData(file), { code: 'data-folder', message: /cannot be used \(ENOTDIR\)/ })
  assert.throws(() => holdsData(join(file, 'x')), { code: 'data-folder', message: /cannot be used/ })
  if (process.getuid?.() !== 0) {
    chmodSync(folder, 0)
    assert.throws(() => holdsData(join(folder, 'x')), { code: 'data-folder', message: /EACCES/ })
    chmodSync(folder, 0o700)
  }
})

test("a killed server's process number that is another program's by now is taken out of its file, and nothing else", (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'postmaster.pid')
  disownPid(folder)
  assert.equal(existsSync(file), false)
  const rest = `\n${folder}\n1700000000\n5432\n/run/sockets-of-one\n\n  12345  98304\nready   \n`
  writeFileSync(file, `${process.pid}${rest}`)
  assert.deepEqual(readPidFile(folder), { pid: process.pid, socketFolder: '/run/sockets-of-one', ready: true })
  disownPid(folder)
  assert.match(readFileSync(file, 'utf8'), /^4194305\n/)
  assert.ok(readFileSync(file, 'utf8').endsWith(rest))
  for (const text of ['', 'x\n', '-5\n', '1\n']) {
    writeFileSync(file, text)
    assert.equal(readPidFile(folder), undefined)
    disownPid(folder)
    assert.equal(readFileSync(file, 'utf8'), text)
  }
})
