import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readChainConfig, shape } from './config.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

test('the README lists every variable with its default, and no other', () => {
  const table = readme.slice(readme.indexOf('| variable |'), readme.indexOf('## Who may call it'))
  const rows = [...table.matchAll(/^\| (`[^|]*) \|([^|]*)\|/gm)].flatMap(([, names = '', fallback = '']) =>
    [...names.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = '']) => [name, fallback.replaceAll('`', '').trim()] as const),
  )
  const { effective } = readChainConfig({})
  assert.deepEqual(Object.fromEntries(rows), effective)
  assert.deepEqual(rows.map(([name]) => name).sort(), Object.keys(shape).sort())
})
