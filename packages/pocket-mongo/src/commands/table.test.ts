import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { commands } from './table.js'

test('the README names every command, and no other', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)])
  const named = rows.map(([, name]) => name).filter((name) => name !== 'isMaster')
  assert.deepEqual(named.sort(), commands.map(({ name }) => name).sort())
})

test("what concerns the whole server is asked of the database admin, and a name is one command's", () => {
  for (const { name, need, adminOnly } of commands) {
    if (need === 'server') assert.equal(adminOnly, true, name)
  }
  assert.equal(
    new Set(commands.flatMap(({ name, aliases = [] }) => [name, ...aliases])).size,
    commands.flatMap(({ aliases = [] }) => aliases).length + commands.length,
  )
})
