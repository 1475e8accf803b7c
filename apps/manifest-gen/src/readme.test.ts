import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readGeneratorConfig } from './config.js'
import { descriptionSchema } from './description/schema.js'
import { parts } from './generate/objects.js'
import { made } from './testing/k8s.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const page = readFileSync(new URL('../../../docs/manifest-gen.md', import.meta.url), 'utf8')

/** The first column of the table below this heading, or with this head. */
const rowsAfter = (text: string, start: string): readonly string[] => {
  const table = text.slice(text.indexOf(start)).split('\n\n')[0] ?? ''
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name)
}

test('the README lists every variable with its default, and no other', () => {
  const { effective } = readGeneratorConfig({ ALLOWED_IMAGES: 'a' })
  const table = readme.slice(readme.indexOf('| variable |'))
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` \| `?([^|`]*)`? \|/gm)].map(([, name, value]) => [
    name,
    value?.trim(),
  ])
  assert.deepEqual(Object.fromEntries(rows), { ...effective, ALLOWED_IMAGES: 'none: it has to be set' })
})

test('the page lists every field of a description, and every part of what comes of one', () => {
  assert.deepEqual(rowsAfter(page, '| field |'), Object.keys(descriptionSchema.shape))
  assert.deepEqual(
    rowsAfter(page, '| `?part=` |').filter((name) => name !== '?part='),
    [...parts],
  )
})

test('the page’s descriptions hold, and make what the page says', () => {
  const [small, large, ...more] = [...page.matchAll(/^```json\n(\{\n[\s\S]*?)\n```$/gm)].map(
    ([, json = '']) => JSON.parse(json) as object,
  )
  assert.equal(more.length, 0)
  const kinds = (raw: object | undefined): readonly string[] => made(raw).resources.map(({ kind }) => kind)
  assert.ok(!kinds(small).includes('Gateway'))
  assert.ok(kinds(large).includes('Gateway'))
})
