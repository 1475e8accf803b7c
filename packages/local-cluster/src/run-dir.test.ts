import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { processStamp } from './processes.js'
import { makeRunDir, removeRunDir } from './run-dir.js'

const self = { pid: process.pid, stamp: processStamp(process.pid) ?? '' }

test('a folder for sockets is private; the next one clears away those of owners that are gone, and nothing else', (t) => {
  const root = temporaryFolder(t)
  const living = makeRunDir(self, root)
  const dead = makeRunDir({ pid: process.pid, stamp: 'another' }, root)
  assert.equal(statSync(living).mode & 0o777, 0o700)
  const others = ['bh-abcdef', 'bh-remote', 'bh-notours', 'mine']
  for (const other of others) mkdirSync(join(root, other))
  writeFileSync(join(root, 'mine', 'owner.json'), JSON.stringify({ pid: 1, stamp: 'x' }))
  writeFileSync(join(root, 'bh-abcdef', 'owner.json'), '{')
  writeFileSync(join(root, 'bh-remote', 'owner.json'), JSON.stringify({ pid: 1, stamp: 'x', host: 'another' }))
  const next = makeRunDir(self, root)
  assert.deepEqual([existsSync(living), existsSync(dead), existsSync(next)], [true, false, true])
  assert.equal(readdirSync(root).length, others.length + 2)
})

test('only what could be such a folder is ever removed', (t) => {
  const root = temporaryFolder(t)
  for (const folder of ['bh-notours', 'sub']) mkdirSync(join(root, folder))
  mkdirSync(join(root, 'sub', 'bh-abcdef'))
  for (const path of [join(root, 'bh-notours'), join(root, 'sub', 'bh-abcdef'), root, '/', undefined])
    removeRunDir(path, root)
  assert.deepEqual(readdirSync(root), ['bh-notours', 'sub'])
  assert.deepEqual(readdirSync(join(root, 'sub')), ['bh-abcdef'])
})
