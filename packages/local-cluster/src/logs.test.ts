import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { follow, LogFile, tail } from './logs.js'

test('the last lines, also when they are longer than a block, and of a file that ends without a newline', (t) => {
  const file = join(temporaryFolder(t), 'a.log')
  assert.deepEqual(tail(file, 5), { text: '', end: 0 })
  const long = 'ä'.repeat(100_000)
  writeFileSync(file, `one\ntwo\n${long}\nlast`)
  assert.equal(tail(file, 2).text, `${long}\nlast\n`)
  assert.equal(tail(file, 3).text, `two\n${long}\nlast\n`)
  assert.equal(tail(file, 0).text, '')
  assert.equal(tail(file, 99).text, `one\ntwo\n${long}\nlast\n`)
})

test('a log that has grown too long is cut, what it held is kept once, and a follower goes on', async (t) => {
  const file = join(temporaryFolder(t), 'shop', 'a.log')
  const log = new LogFile(file, 100)
  cleanUp(t, () => log.close())
  const stop = new AbortController()
  const seen = follow(file, 0, stop.signal)
  appendFileSync(file, `${'x'.repeat(98)}\n`)
  assert.equal((await seen.next()).value, `${'x'.repeat(98)}\n`)
  assert.equal(log.rotate(), false)
  appendFileSync(file, 'yy\n')
  assert.equal((await seen.next()).value, 'yy\n')
  assert.equal(log.rotate(), true)
  assert.equal(statSync(file).size, 0)
  assert.match(readFileSync(`${file}.1`, 'utf8'), /^x+\nyy\n$/)
  log.note('after')
  assert.match((await seen.next()).value ?? '', /^--- \S+ after\n$/)
  stop.abort()
  assert.equal((await seen.next()).done, true)
})
