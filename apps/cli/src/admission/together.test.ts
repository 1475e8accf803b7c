import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { parseManifests } from '@bulkhead/resources'
import { temporaryFolder } from '@bulkhead/testing'
import { readNamed } from '../objects/read.js'
import { together } from './together.js'

const map = (name: string, data = '{}') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop }\ndata: ${data}\n`

test('the objects of a file are one text, and each is where it stands', async (t) => {
  const folder = temporaryFolder(t)
  const list = `apiVersion: v1\nkind: List\nitems:\n${[map('l1'), map('l2')]
    .map((item) => `  - ${item.trimEnd().replaceAll('\n', '\n    ')}\n`)
    .join('')}`
  const files = {
    'a.yaml': `# on top\n${map('a1')}---\n${map('a2', '\n  text: |-\n    one\n\n    ---')}`,
    'b.yaml': `\n---\n${map('b1')}--- # next\n\n${map('b2')}---\n---\n${map('b3')}`,
    'c.yaml': `${map('c1')}---\n${list}---\n${map('c2')}`,
    'd.yaml': `{ apiVersion: v1, kind: List, items: [${['d1', 'd2'].map((name) => `{ apiVersion: v1, kind: ConfigMap, metadata: { name: ${name}, namespace: shop } }`).join(', ')}] }\n`,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  const given = await readNamed([folder], { cwd: folder, stdin: Readable.from([]) as never }, folder)
  const texts = together(given)
  assert.deepEqual(
    texts.map(({ of }) => of.map(({ resource }) => resource.name).join(' ')),
    ['a1 a2', 'b1 b2 b3', 'c1 l1 l2 c2', 'd1', 'd2'],
  )
  for (const { text, of } of texts) {
    const { resources, diagnostics } = parseManifests(text, of[0]?.change.file ?? '')
    assert.deepEqual(diagnostics, [])
    assert.deepEqual(
      resources.map(({ object, position }) => [object, position([]).line]),
      of.map(({ resource: { object, position } }) => [object, position([]).line]),
    )
  }
})
