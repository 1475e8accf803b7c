import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Code, codes, rowOf } from './checks/codes.js'
import { readHelloConfig, shape } from './config.js'

const FILE = new URL('../README.md', import.meta.url)
const HEAD = '| code | what was seen | looks like |\n|---|---|---|\n'
const SECRETS = ['DB_PASSWORD', 'DATABASE_URL']

function codeRow(code: Code): string {
  const { says, walls } = rowOf(code)
  const list = (kind: 'database' | 'outside') => walls?.[kind]?.map((wall) => `\`${wall}\``).join(', ')
  const [database, outside] = [list('database'), list('outside')]
  const cells = [
    ...(outside === undefined ? [] : [database === outside ? outside : `outside: ${outside}`]),
    ...(database === undefined || database === outside ? [] : [`the database: ${database}`]),
  ]
  return `| \`${code}\` | ${says} | ${cells.join('; ')} |\n`
}

test('the README lists every code, in its words, with its walls', () => {
  const rows = (Object.keys(codes) as Code[]).map(codeRow).join('')
  const readme = readFileSync(FILE, 'utf8')
  const start = readme.indexOf(HEAD) + HEAD.length
  const end = readme.indexOf('\n\n', start - 1) + 1
  if (process.env.BULKHEAD_UPDATE === '1') writeFileSync(FILE, readme.slice(0, start) + rows + readme.slice(end))
  else assert.equal(readme.slice(start, end), rows)
})

test('the README lists every variable with its default, and no other', () => {
  const readme = readFileSync(FILE, 'utf8')
  const table = readme.slice(readme.indexOf('| variable |'), readme.indexOf('## Who may call it'))
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` \|([^|]*)\|/gm)].map(
    ([, name = '', fallback = '']) => [name, fallback.replaceAll('`', '').trim()] as const,
  )
  const { effective } = readHelloConfig({})
  const open = ([name]: readonly [string, string]) => !SECRETS.includes(name)
  assert.deepEqual(Object.fromEntries(rows.filter(open)), Object.fromEntries(Object.entries(effective).filter(open)))
  assert.deepEqual(rows.map(([name]) => name).sort(), Object.keys(shape).sort())
  for (const [name, fallback] of rows) if (!open([name, ''])) assert.match(fallback, /never shown$/, name)
})
